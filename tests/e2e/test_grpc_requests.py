"""Requests and streams over gRPC, right and wrong, held against NVIDIA's recorded answers."""

import json
import pathlib

import grpc
import pytest

from differences import GRPC_ANSWERS, GRPC_STREAMS
from grpc_requests.answers import ask, ask_stream, fill
from grpc_requests.cases import CASES
from grpc_requests.streams import STREAMS

FOLDER = pathlib.Path(__file__).parent / "grpc_requests"
ANSWERS = json.loads((FOLDER / "answers.json").read_text())
STREAM_ANSWERS = json.loads((FOLDER / "stream_answers.json").read_text())


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start(fill(module_servers.repository()))


@pytest.fixture(scope="module")
def channel(server):
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        yield channel


@pytest.mark.parametrize("name", CASES)
def test_answer(server, channel, differences, name):
    expected = differences.expected_over_grpc(name, ANSWERS[name])
    answer = ask(channel, CASES[name], server)
    assert expected is ANSWERS[name] or answer != ANSWERS[name], "no longer different"
    if expected.get("details", "") is None:
        assert answer.pop("details")
        expected = {"code": expected["code"]}
    assert answer == expected


@pytest.mark.parametrize("name", STREAMS)
def test_stream(channel, differences, name):
    expected = differences.expected_stream(name, STREAM_ANSWERS[name])
    stream = ask_stream(channel, *STREAMS[name])
    assert expected is STREAM_ANSWERS[name] or stream != STREAM_ANSWERS[name], "no longer different"
    assert stream == expected


def test_every_answer_was_asked_for():
    assert GRPC_ANSWERS.keys() <= CASES.keys()
    assert GRPC_STREAMS.keys() <= STREAMS.keys()
    assert ANSWERS.keys() == CASES.keys()
    assert STREAM_ANSWERS.keys() == STREAMS.keys()
