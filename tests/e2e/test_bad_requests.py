"""Requests that are wrong in one way each: status, message, and a connection that still works."""

import http.client
import json
import os

import pytest
import requests

from bad_requests import CASES
from bad_requests.case import given
from harness.infer import error_of, outputs, post

MODELS = ["identity", "add_sub", "batched", "optional", "request_info", "versions"]


@pytest.fixture(scope="module")
def server(module_servers):
    repository = module_servers.repository()
    for model in MODELS:
        repository.add(model)
    for datatype in ["BOOL", "UINT8", "INT32", "INT64", "UINT64", "FP16", "BYTES"]:
        in_config = "TYPE_STRING" if datatype == "BYTES" else f"TYPE_{datatype}"
        repository.add("identity", datatype.lower(), edit={"TYPE_FP32": in_config})
    return module_servers.start(repository)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_answer(server, differences, case):
    theirs = (case.status, case.message)
    status, message = differences.expected(case.name, *theirs)
    with requests.Session() as session:
        answer = post(server, case.model, case.request, case.headers, case.version, session)
        assert answer.status_code == status, answer.text
        if message is None:
            assert error_of(answer)
        else:
            assert error_of(answer) == message
        if (status, message) != theirs:
            assert (answer.status_code, error_of(answer)) != theirs, "no longer different"
        assert outputs(post(server, "identity", given(), session=session))["OUTPUT0"] == [1, 2]


def test_names_are_unique():
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))


def exchange(connection, server, case):
    path = server.infer_url(case.model, case.version).removeprefix(server.url)
    data = json.dumps(case.request) if isinstance(case.request, dict) else case.request
    connection.request("POST", path, body=data, headers=case.headers or {})
    response = connection.getresponse()
    response.read()
    return response.status


@pytest.mark.hippocamp_only("cases that NVIDIA's server dies of are among these")
def test_nothing_is_leaked(server):
    """Every bad request many times over one connection: one socket, and no memory, is used."""

    def resident_kb():
        with open(f"/proc/{server.process.pid}/status") as file:
            (line,) = [line for line in file if line.startswith("VmRSS")]
        return int(line.split()[1])

    def open_files():
        return len(os.listdir(f"/proc/{server.process.pid}/fd"))

    def run(n_rounds):
        connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=60)
        for _ in range(n_rounds):
            for case in CASES:
                assert exchange(connection, server, case) >= 400, case.name
        connection.close()

    run(10)
    files_before, memory_before = open_files(), resident_kb()
    run(50)
    assert open_files() <= files_before + 1, "more than a connection that is about to be closed"
    assert resident_kb() - memory_before < 4096
