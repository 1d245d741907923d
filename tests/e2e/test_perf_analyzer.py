"""NVIDIA's perf_analyzer measures in all its ways: part of the long tier.

HC_PERF_ANALYZER is its command; without it there is nothing to test.
"""

import json
import os
import re
import subprocess

import pytest
import requests

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        not os.environ.get("HC_PERF_ANALYZER"), reason="HC_PERF_ANALYZER names no perf_analyzer"
    ),
]

N_REQUESTS = 400

# A number of requests is measured, not a time: a busy machine is no reason to measure on.
COMMON = ["--request-count", str(N_REQUESTS), "--concurrency-range", "4"]

PROTOCOLS = {"HTTP": ["-i", "http"], "gRPC": ["-i", "grpc"]}
WAYS = {"sync": ["--sync"], "async": ["--async"], "streaming": ["--async", "--streaming"]}
MEMORY = {"none": [], "system": ["--shared-memory=system", "--output-shared-memory-size=4096"]}


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start(["add_sub", "repeat", "strings"])


def counts(server, model):
    """How many requests the model has answered so far, and how many of them with an error."""
    url = f"{server.url}/v2/models/{model}/stats"
    (statistics,) = requests.get(url).json()["model_stats"]
    kinds = statistics["inference_stats"]
    return kinds["success"]["count"], kinds["fail"]["count"]


def measure(server, protocol, model, *options):
    """What perf_analyzer says once it has come to its end without a failure."""
    port = server.http_port if protocol == "HTTP" else server.grpc_port
    words = os.environ["HC_PERF_ANALYZER"].split()
    options = [*PROTOCOLS[protocol], "-u", f"127.0.0.1:{port}", "-m", model, *COMMON, *options]
    n_before, _ = counts(server, model)
    run = subprocess.run([*words, *options], capture_output=True, timeout=100, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"Request count: {N_REQUESTS}\n" in run.stdout
    n, n_failed = counts(server, model)
    assert n - n_before >= N_REQUESTS
    assert n_failed == 0
    return run.stdout


@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize(
    ("protocol", "way"),
    [("HTTP", "sync"), ("HTTP", "async"), *(("gRPC", way) for way in WAYS)],
)
def test_it_comes_to_its_end(server, protocol, way, memory):
    shapes = ["--shape", "INPUT0:16", "--shape", "INPUT1:16"]
    measure(server, protocol, "add_sub", *shapes, *WAYS[way], *MEMORY[memory])


def test_strings(server):
    shape = ["--shape", "INPUT0:4", "--string-length", "20"]
    measure(server, "HTTP", "strings", *shape, "--async")


def test_a_decoupled_model(server, tmp_path):
    """Each request has as many answers as it has values."""
    data = tmp_path / "data.json"
    data.write_text(json.dumps({"data": [{"INPUT0": [1, 2, 3]}]}))
    given = ["--shape", "INPUT0:3", "--input-data", str(data)]
    text = measure(server, "gRPC", "repeat", *given, *WAYS["streaming"])
    n_a_second = [
        float(n) for n in re.findall(r"(?:Throughput|Response Throughput): ([\d.]+)", text)
    ]
    assert n_a_second[1] == pytest.approx(3 * n_a_second[0], rel=0.01)
