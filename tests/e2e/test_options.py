"""The command line: every option of NVIDIA's server is accepted, or refused with the reason."""

import os
import pathlib
import subprocess

import pytest

from harness.infer import body, outputs, post, tensor
from harness.server import command_of

pytestmark = pytest.mark.hippocamp_only("it is about Hippocamp's own command line")

# Those that NVIDIA's server prints with --help.
NAMES = (pathlib.Path(__file__).parent / "tritonserver_options.txt").read_text().split()

# Values that are accepted, where that is not "1"; None for options without one.
VALUES = {
    "allow-sagemaker": "false",
    "allow-vertex-ai": "false",
    "backend-config": "python,shm-default-byte-size=1048576",
    "backend-directory": "/opt/tritonserver/backends",
    "cache-config": "local,size=1048576",
    "cache-directory": "/opt/tritonserver/caches",
    "cuda-memory-pool-byte-size": "0:67108864",
    "cuda-virtual-address-size": "0:67108864",
    "disable-auto-complete-config": None,
    "grpc-infer-response-compression-level": "high",
    "grpc-restricted-protocol": "health,metadata:key=value",
    "host-policy": "cpu,numa-node=0",
    "http-restricted-api": "health,metadata:key=value",
    "load-model": "m",
    "log-format": "ISO8601",
    "log-file": os.devnull,
    "metrics-config": "summary_quantiles=0.5:0.05,0.9:0.01",
    "model-control-mode": "explicit",
    "model-load-gpu-limit": "0:0.8",
    "model-repository": None,
    "model-store": None,
    "rate-limit": "execution_count",
    "rate-limit-resource": "R:10:0",
    "trace-config": "triton,file=/tmp/trace",
    "trace-level": "OFF",
    "trace-file": "/tmp/trace",
    "vertex-ai-default-model": "m",
}

# Settings of options that take several kinds of them.
SETTINGS = [
    "host-policy=gpu_0,cpu-cores=0-1",
    "trace-config=level=OFF",
    "trace-config=rate=1000",
    "trace-config=mode=opentelemetry",
    "trace-config=opentelemetry,url=localhost:4318/v1/traces",
    "metrics-config=histogram_latencies=true",
    "metrics-config=counter_latencies=false",
]

# What is refused, and what the message says besides the option's name.
REFUSED = {
    "allow-sagemaker=true": "Must be false",
    "allow-vertex-ai=true": "Must be false",
    "cache-config=local": "not a value",
    "cache-config=size=10": "not a value",
    "host-policy=p": "<policy>,cpu-cores=",
    "host-policy=p,cpu-cores=x": "<policy>,cpu-cores=",
    "host-policy=p,cpu-cores=3-1": "<policy>,cpu-cores=",
    "host-policy=p,numa-node=999": "numa-node=<node>",
    "host-policy=p,colour=red": "<policy>,cpu-cores=",
    "metrics-config=summary_quantiles=0.5": "not a value",
    "rate-limit=slowly": "execution_count",
    "rate-limit-resource=R": "<name>:<count>",
    "rate-limit-resource=R:x": "<name>:<count>",
    "rate-limit-resource=R:1:2:3": "<name>:<count>",
    "trace-config=level=TIMESTAMPS": "There is no tracing",
    "trace-config=rate=x": "not a value",
    "trace-level=TIMESTAMPS": "There is no tracing",
    "trace-rate=x": "not a value",
    "http-port=70000": "at most 65535",
    "model-control-mode=both": "explicit",
}


def run(*words):
    command = [*command_of("hippocamp"), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_every_option_of_tritonserver_is_accepted(tmp_path):
    assert len(NAMES) == 87
    for name in NAMES:
        value = VALUES.get(name, "1")
        word = f"--{name}" if value is None else f"--{name}={value}"
        words = [f"--{name}", str(tmp_path)] if name.startswith("model-") and not value else [word]
        answer = run("check", str(tmp_path), *words)
        assert answer.returncode == (1 if name == "help" else 0), (word, answer.stderr)
    for setting in SETTINGS:
        answer = run("check", str(tmp_path), f"--{setting}")
        assert answer.returncode == 0, (setting, answer.stderr)


def test_what_an_option_cannot_be_is_said(tmp_path):
    for word, message in REFUSED.items():
        answer = run(f"--model-repository={tmp_path}", f"--{word}")
        assert answer.returncode == 1, word
        assert f'Bad option: "--{word.split("=")[0]}"' in answer.stderr, answer.stderr
        assert message in answer.stderr.replace("\n", " "), answer.stderr


def test_deprecated_options_name_those_that_have_taken_their_place(tmp_path):
    for name in ("strict-model-config", "response-cache-byte-size", "trace-rate"):
        answer = run("check", str(tmp_path), f"--{name}=1")
        assert f"Warning: '--{name}' has been deprecated! Please use '--" in answer.stderr


def test_a_cache_is_configured_once(tmp_path):
    words = ["--response-cache-byte-size=1000000", "--cache-config=local,size=1000000"]
    answer = run(f"--model-repository={tmp_path}", *words)
    assert answer.returncode == 1
    assert "Error: Incompatible flags --response-cache-byte-size and --cache-config" in (
        answer.stderr
    )


CLASHES = [
    (["--http-port=9", "--grpc-port=9"], "HTTP requests and GRPC requests", "0.0.0.0:9"),
    (["--http-port=9", "--metrics-port=9"], "HTTP requests and metrics requests", "0.0.0.0:9"),
    (["--grpc-port=9", "--metrics-port=9"], "GRPC requests and metrics requests", "0.0.0.0:9"),
]


@pytest.mark.parametrize(("words", "what", "where"), CLASHES)
def test_services_do_not_share_a_port(tmp_path, words, what, where):
    answer = run(f"--model-repository={tmp_path}", *words)
    assert answer.returncode == 1
    message = f"The server cannot listen to {what} at the same address and port {where}"
    assert message in answer.stderr


def test_services_at_other_addresses_may_have_the_same_port(servers):
    repository = servers.repository()
    server = servers.start(repository, "--allow-metrics=false", "--grpc-address=127.0.0.2")
    assert server.output.wait_for("Started GRPCInferenceService at 127.0.0.2")


ASKS = """
import os

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        cores = np.array(sorted(os.sched_getaffinity(0)), dtype=np.int32)
        with open("/proc/self/numa_maps") as maps:
            bound = np.array(["bind:0" in maps.read()])
        tensors = [pb_utils.Tensor("CORES", cores), pb_utils.Tensor("BOUND", bound)]
        return [pb_utils.InferenceResponse(output_tensors=tensors) for _ in requests]
"""

ASKS_CONFIG = """backend: "python"
input [{ name: "INPUT" data_type: TYPE_INT32 dims: [ 1 ] }]
output [
  { name: "CORES" data_type: TYPE_INT32 dims: [ -1 ] },
  { name: "BOUND" data_type: TYPE_BOOL dims: [ 1 ] }
]
"""


def where(server, model):
    answer = outputs(post(server, model, body(tensor("INPUT", "INT32", [1], [0]))))
    return answer["CORES"], answer["BOUND"][0]


def test_host_policies_say_where_instances_run(servers):
    repository = servers.repository()
    groups = {"default": "", "named": 'host_policy: "p"', "unknown": 'host_policy: "q"'}
    for name, policy in groups.items():
        repository.write(f"{name}/1/model.py", ASKS)
        group = f"instance_group [{{ kind: KIND_CPU {policy} }}]\n"
        repository.write(f"{name}/config.pbtxt", ASKS_CONFIG + group)
    cores = sorted(os.sched_getaffinity(0))
    first, last = cores[0], cores[-1]
    options = [f"--host-policy=cpu,cpu-cores={first}", f"--host-policy=p,cpu-cores={last}"]
    server = servers.start(repository, *options, "--host-policy=p,numa-node=0")
    assert where(server, "default") == ([first], False)
    assert where(server, "named") == ([last], True)
    assert where(server, "unknown") == (cores, False)
