"""Measures one server: load, start, stop and memory. Every value is (quantity -> number)."""

import os
import signal
import time

import requests

import grpc_workload
import workload
from harness.infer import post
from harness.repository import Repository
from harness.server import Server

WORKLOADS = workload.WORKLOADS + grpc_workload.WORKLOADS

WARM_UP_S = 1


def pss_mb(pids):
    """Memory of processes, what they share counted once (proportional set size)."""
    total_kb = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            total_kb += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    return total_kb / 1024


def median_batch(server, model):
    """The median size of the model's executions."""
    answer = requests.get(f"{server.url}/v2/models/{model}/stats", timeout=10).json()
    batches = answer["model_stats"][0]["batch_stats"]
    left = sum(batch["compute_infer"]["count"] for batch in batches) / 2
    for batch in batches:
        left -= batch["compute_infer"]["count"]
        if left <= 0:
            return batch["batch_size"]
    return 0


def load(kind, folder, names, seconds):
    """Runs the workloads whose name contains one of `names`."""
    chosen = [w for w in WORKLOADS if any(name in w.name for name in names)]
    values = {}
    if not chosen:
        return values
    repository = Repository(folder / f"load-{time.monotonic_ns()}")
    for one in {one.model: one for one in chosen}.values():
        one.add_to(repository)
    with Server(kind, repository) as server:
        for one in chosen:
            report = one.load(server, folder, seconds, WARM_UP_S)
            assert report["failed"] == 0, f"{kind}: {one.name}: {report}"
            values[f"{one.name} rps"] = report["rps"]
            if one.model == "dense":
                values[f"{one.name} batch"] = median_batch(server, one.model)
            values[f"{one.name} p50 ms"] = report["p50_us"] / 1000
            values[f"{one.name} p99 ms"] = report["p99_us"] / 1000
        server.stop()
    return values


LIVES = {
    "seed, 1 instance": ("linear", 1),
    "identity, 1 instance": ("identity", 1),
    "identity, 4 instances": ("identity", 4),
}


def first_requests(server, model):
    """A few requests, so that memory is that of a server at work."""
    one = {
        "linear": {"name": "x", "datatype": "FP32", "shape": [1, 3], "data": [1, 2, 3]},
        "identity": {"name": "INPUT0", "datatype": "FP32", "shape": [1], "data": [1]},
    }[model]
    for _ in range(20):
        answer = post(server, model, {"inputs": [one]}, {"Connection": "close"})
        assert answer.status_code == 200, answer.text


def life(kind, folder, names):
    """Starts, looks at and stops a server on each of LIVES whose name contains one of `names`."""
    values = {}
    for name, (model, n_instances) in LIVES.items():
        if not any(wanted in name for wanted in names):
            continue
        repository = Repository(folder / f"life-{time.monotonic_ns()}")
        repository.add(model, config=f"instance_group [{{ count: {n_instances} }}]\n")
        begun_at = time.monotonic()
        with Server(kind, repository) as server:
            values[f"{name} start s"] = time.monotonic() - begun_at
            first_requests(server, model)
            values[f"{name} memory MB"] = pss_mb(server.pids())
            begun_at = time.monotonic()
            os.kill(server.process.pid, signal.SIGTERM)
            server.wait()
            values[f"{name} stop s"] = time.monotonic() - begun_at
            server.finish()
    return values
