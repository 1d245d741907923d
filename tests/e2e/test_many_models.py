"""A repository of five hundred models, a process with NumPy each: part of the long tier."""

import contextlib
import json
import pathlib
import statistics
import time

import pytest

from harness import processes
from harness.infer import body, tensor
from harness.raw import Connection, request

pytestmark = [
    pytest.mark.long,
    pytest.mark.hippocamp_only("these are aims of Hippocamp's own"),
]

MODEL = "dense"
N_MODELS = 500
N_ROUNDS = 20
READY_S = 20
MEMORY_GB = 6
INDEX_MS = 5

INDEX = request("/v2/repository/index")
INFER = request(
    f"/v2/models/{MODEL}/infer",
    json.dumps(body(tensor("INPUT0", "FP32", [1, 64], [1] * 64))).encode(),
)


def times_ms(connection, message, n):
    times = []
    for _ in range(n):
        begun = time.monotonic()
        assert connection.send(message).receive().status == 200
        times.append(1000 * (time.monotonic() - begun))
    return times


def best_quarter(times):
    """What a quarter of them is below: the other three may have met a busy machine."""
    return statistics.quantiles(times, n=4)[0]


def infer_ms(*servers):
    """The time of a request to each of the servers, which take turns."""
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(Connection(server)) for server in servers]
        times = [[] for _ in servers]
        for i in range(2 * N_ROUNDS):
            for j in range(len(servers)):
                found = times_ms(connections[j], INFER, 250)
                times[j] += found if i >= N_ROUNDS else []
    return [best_quarter(found) for found in times]


def memory_gb(server):
    return sum(processes.pss_kb(pid) for pid in server.pids()) / 1e6


def test_five_hundred_models(servers):
    repository = servers.repository().add(MODEL)
    for i in range(1, N_MODELS):
        repository.add(MODEL, name=f"{MODEL}_{i}")
    begun = time.monotonic()
    server = servers.start(repository)
    ready_s = time.monotonic() - begun
    gb = memory_gb(server)
    with Connection(server) as connection:
        index_ms = best_quarter(times_ms(connection, INDEX, 200))
    alone_ms, crowded_ms = infer_ms(servers.start(MODEL), server)
    load = pathlib.Path("/proc/loadavg").read_text().split()[0]
    print(
        f"\n{N_MODELS} models: ready in {ready_s:.1f} s, {gb:.2f} GB, index in {index_ms:.2f} ms, "
        f"a request in {crowded_ms:.3f} ms, {alone_ms:.3f} ms with one model (load {load})"
    )
    assert ready_s < READY_S
    assert gb < MEMORY_GB
    assert index_ms < INDEX_MS
    assert crowded_ms < 1.2 * alone_ms
