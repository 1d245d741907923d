"""A config that says only other instances changes them in place: the model goes on."""

import concurrent.futures
import threading

import pytest
import requests

from harness.control import EXPLICIT, load, wait_until
from harness.infer import body, error_of, outputs, post, tensor

CONFIG = """backend: "python"
max_batch_size: {batch}
input [{{ name: "INPUT" data_type: TYPE_INT32 dims: [ 1 ] }}]
output [{{ name: "PID" data_type: TYPE_INT32 dims: [ 1 ] }}]
instance_group [{{ count: {count} kind: KIND_CPU }}]
{more}
"""

MODEL = """
import os
import time

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        if os.path.exists(os.path.join(args["model_repository"], "refuse")):
            raise ValueError("as it was told")

    def answer(self, request):
        pid = np.full_like(request.inputs()[0].as_numpy(), os.getpid())
        return pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor("PID", pid)])

    def execute(self, requests):
        time.sleep(0.02)
        return [self.answer(request) for request in requests]
"""

QUESTION = body(tensor("INPUT", "INT32", [1], [0]))
SEQUENCES = "sequence_batching { direct { } max_sequence_idle_microseconds: 60000000 }"

ANEW = pytest.mark.hippocamp_only("NVIDIA's server starts every process of the model anew")


def configure(repository, count, batch=0, more=""):
    text = CONFIG.format(count=count, batch=batch, more=more)
    repository.write("m/config.pbtxt", text)


def start(servers, count, *options, **fields):
    repository = servers.repository()
    configure(repository, count, **fields)
    repository.write("m/1/model.py", MODEL)
    return servers.start(repository, EXPLICIT, "--load-model=m", *options)


def change(server, count, **fields):
    configure(server.repository, count, **fields)
    answer = load(server, "m")
    assert answer.status_code == 200, answer.text


def pids(server):
    """The processes that answer when many ask."""
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: post(server, "m", QUESTION), range(32)))
    return {outputs(answer)["PID"][0] for answer in answers}


def n_answered(server):
    statistics = requests.get(f"{server.url}/v2/models/m/stats").json()
    return statistics["model_stats"][0]["inference_count"]


@ANEW
def test_instances_come_and_go_while_the_others_stay(servers):
    server = start(servers, 1)
    one = pids(server)
    assert len(one) == 1
    change(server, 3)
    three = pids(server)
    assert len(three) == 3 and one < three
    change(server, 2)
    wait_until(lambda: len(pids(server)) == 2, "one instance leaves")
    two = pids(server)
    assert two < three
    change(server, 4)
    four = pids(server)
    assert len(four) == 4 and two < four
    assert n_answered(server) >= 160
    config = requests.get(f"{server.url}/v2/models/m/config").json()
    assert config["instance_group"][0]["count"] == 4


def test_no_request_is_lost_meanwhile(servers):
    server = start(servers, 2)
    enough = threading.Event()

    def ask():
        with requests.Session() as session:
            while not enough.is_set():
                outputs(post(server, "m", QUESTION, session=session))

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        asking = [pool.submit(ask) for _ in range(8)]
        try:
            for count in (4, 1, 3, 2, 1, 4, 2):
                change(server, count)
        finally:
            enough.set()
        for one in asking:
            one.result()


def test_an_instance_that_does_not_start_leaves_everything_as_it_was(servers):
    server = start(servers, 1)
    one = pids(server)
    server.repository.write("m/refuse", "")
    configure(server.repository, 3)
    answer = load(server, "m")
    assert answer.status_code == 400
    assert "as it was told" in error_of(answer)
    assert pids(server) == one
    server.repository.remove("m/refuse")
    change(server, 3)
    assert len(pids(server)) == 3


@ANEW
def test_a_version_policy_changes_only_the_versions_that_it_says(servers):
    server = start(servers, 1)
    one = pids(server)
    server.repository.write("m/2/model.py", MODEL)
    change(server, 1, more="version_policy { all { } }")
    answer = post(server, "m", QUESTION, version=1)
    assert set(outputs(answer)["PID"]) == one
    assert set(outputs(post(server, "m", QUESTION, version=2))["PID"]) != one
    change(server, 1, more="version_policy { specific { versions: [ 1 ] } }")
    assert set(outputs(post(server, "m", QUESTION))["PID"]) == one
    assert post(server, "m", QUESTION, version=2).status_code == 503


@ANEW
def test_sequences_end_where_they_began(servers):
    server = start(servers, 2, batch=1, more=SEQUENCES)

    def send(name, begins=False, ends=False):
        parameters = {"sequence_id": name, "sequence_start": begins, "sequence_end": ends}
        question = body(tensor("INPUT", "INT32", [1, 1], [0]), parameters=parameters)
        return outputs(post(server, "m", question))["PID"][0]

    first, second = send(1, begins=True), send(2, begins=True)
    assert first != second
    change(server, 1, batch=1, more=SEQUENCES)
    assert (send(1), send(2)) == (first, second)
    assert (send(1, ends=True), send(2, ends=True)) == (first, second)
    stays = send(3, begins=True, ends=True)
    assert all(send(name, begins=True, ends=True) == stays for name in range(4, 8))
    change(server, 2, batch=1, more=SEQUENCES)
    assert send(8, begins=True) != send(9, begins=True)


def test_added_instances_are_warmed_up(servers):
    warmup = """
model_warmup [{
  name: "sample" batch_size: 1
  inputs { key: "INPUT" value { data_type: TYPE_INT32 dims: [ 1 ] zero_data: true } }
}]
"""
    server = start(servers, 1, more=warmup)
    before = len(pids(server))
    change(server, 2, more=warmup)
    assert (before, len(pids(server))) == (1, 2)
