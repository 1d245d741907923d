"""The generate endpoints: plain JSON in, one object or a stream of events out."""

import json

import pytest
import requests

from harness.infer import assert_same_json, body, error_of, post, tensor

EVENTS = "text/event-stream; charset=utf-8"


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start(
        ["batched", "identity", "misbehaves", "repeat", "request_info", "strings"]
    )


def send(server, model, how, content, headers=None):
    url = f"http://{server.address}/v2/models/{model}/{how}"
    data = content if isinstance(content, (str, bytes)) else json.dumps(content)
    return requests.post(url, data=data, headers=headers, timeout=60)


def events(answer):
    """The texts of the events, each of which is one `data:` line and an empty one."""
    assert answer.headers["content-type"] == EVENTS
    pieces = answer.content.split(b"\n\n")
    assert pieces.pop() == b""
    assert all(piece.startswith(b"data: ") for piece in pieces)
    return [piece[len(b"data: ") :].decode() for piece in pieces]


ONE = {
    "a number": ("repeat", {"INPUT0": 1}, '{"TEXT":["a","ä"],"VALUE":1,'),
    "an array": ("identity", {"INPUT0": [1, 2.5]}, '{"OUTPUT0":[1.0,2.5],'),
    "a batch": ("batched", {"INPUT0": [1, 2, 3, 4]}, '{"OUTPUT0":[1,2,3,4],"ROWS":[2,2],'),
    "an id": ("identity", {"id": "a", "INPUT0": [1, 2]}, '{"OUTPUT0":[1.0,2.0],"id":"a",'),
    "nested": ("identity", {"parameters": {"INPUT0": 7}, "x": 1}, '{"OUTPUT0":7.0,'),
    "no elements": ("identity", {"INPUT0": []}, '{"OUTPUT0":[],'),
}


@pytest.mark.parametrize("how", ["generate", "generate_stream"])
@pytest.mark.parametrize("name", ONE)
def test_one_answer(server, name, how):
    model, content, start = ONE[name]
    answer = send(server, model, how, content)
    assert answer.status_code == 200, answer.text
    if how == "generate":
        assert answer.headers["content-type"] == "application/json"
        text = answer.content.decode()
    else:
        (text,) = events(answer)
    assert_same_json(text, f'{start}"model_name":"{model}","model_version":"1"}}')


def test_parameters_reach_the_model(server):
    parameters = {"a": 1, "b": True, "c": "x", "d": 0.5, "priority": 7}
    answer = send(server, "request_info", "generate", {"INPUT0": 1, "id": "7", **parameters})
    info = json.loads(answer.json()["INFO"])
    assert info["id"] == "7"
    assert info["parameters"] == {**parameters, "id": "7"}


@pytest.mark.parametrize("flag", ["with", "after"])
def test_each_answer_is_an_event(server, flag):
    answer = send(server, "repeat", "generate_stream", {"INPUT0": [0, 2, 1], "flag": flag})
    assert answer.status_code == 200
    assert [json.loads(event)["VALUE"] for event in events(answer)] == [0, 2, 1]


def test_a_stream_may_be_empty(server):
    answer = send(server, "repeat", "generate_stream", {"INPUT0": []})
    assert answer.status_code == 200
    assert answer.content == b""
    assert answer.headers["content-type"] == EVENTS


def test_a_long_stream_arrives_in_order(server):
    values = [i % 50 for i in range(2000)]
    answer = send(server, "repeat", "generate_stream", {"INPUT0": values})
    assert [json.loads(event)["VALUE"] for event in events(answer)] == values


def test_errors_are_events(server):
    answer = send(server, "repeat", "generate_stream", {"INPUT0": [1, -1, 2]})
    assert answer.status_code == 200
    first, error, last = events(answer)
    assert json.loads(first)["VALUE"] == 1
    assert error == '{"error":"no -1 here"}'
    assert json.loads(last)["VALUE"] == 2


def test_the_first_event_decides_the_status(server):
    answer = send(server, "repeat", "generate_stream", {"INPUT0": [-1, 1]})
    assert answer.status_code == 400
    assert len(events(answer)) == 2


@pytest.mark.parametrize("how", ["generate", "generate_stream"])
def test_a_failing_model_is_reported(server, how):
    answer = send(server, "misbehaves", how, {"HOW": "raise"})
    assert answer.status_code == 400
    text = answer.text if how == "generate" else events(answer)[0]
    assert "the model could not" in json.loads(text)["error"]


@pytest.mark.parametrize("values", [[], [1, 2]])
def test_generate_wants_one_answer(server, values, kind):
    answer = send(server, "repeat", "generate", {"INPUT0": values})
    assert answer.status_code == (200 if kind == "oracle" else 500)
    assert error_of(answer).startswith("generate expects model to produce exactly 1 response")


BEFORE = {
    "no JSON": ("identity", "{", 500, "Missing a name"),
    "nothing": ("identity", "", 500, "The document is empty"),
    "no input": ("identity", {}, 400, "expected 1 inputs but got 0"),
    "a bad shape": ("batched", {"INPUT0": [1, 2, 3]}, 400, "to tensor with proper shape"),
    "no such model": ("nobody", {}, 404, "unknown model: 'nobody'"),
}


@pytest.mark.parametrize("how", ["generate", "generate_stream"])
@pytest.mark.parametrize("name", BEFORE)
def test_errors_before_the_model_are_plain(server, name, how):
    model, content, status, message = BEFORE[name]
    answer = send(server, model, how, content)
    assert answer.status_code == status
    assert message in error_of(answer)


def test_compressed_bodies_are_refused(server):
    answer = send(server, "identity", "generate", b"", {"Content-Encoding": "gzip"})
    assert answer.status_code == 400
    assert error_of(answer) == "Unsupported content-encoding, only 'identity' is supported."


@pytest.mark.hippocamp_only("NVIDIA's server refuses decoupled models here")
def test_infer_takes_a_decoupled_model_that_answers_once(server):
    answer = post(server, "repeat", body(tensor("INPUT0", "INT32", [1], [3])))
    assert answer.json()["outputs"][0]["data"] == [3]


@pytest.mark.hippocamp_only("NVIDIA's server refuses decoupled models here")
@pytest.mark.parametrize("values", [[], [1, 2], [1, 2, 3]])
def test_infer_refuses_other_numbers_of_answers(server, values):
    answer = post(server, "repeat", body(tensor("INPUT0", "INT32", [len(values)], values)))
    assert answer.status_code == 500
    assert error_of(answer).startswith("expected a single response, got")
