"""The examples in models/ do what their README says."""

import json

import pytest
import requests

from harness.infer import body, outputs, post, tensor
from harness.metrics import Metrics
from harness.repository import EXAMPLES

MODELS = ["greeting", "route", "running_total", "statistics", "token_stream", "word_count"]


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start(MODELS)


def test_every_example_is_in_the_readme():
    text = (EXAMPLES / "README.md").read_text()
    for folder in EXAMPLES.iterdir():
        assert not folder.is_dir() or f"`{folder.name}`" in text, folder.name


def test_statistics_of_numbers(server):
    request = body(tensor("values", "FP64", [4], [1, 2, 3, 4]))
    answer = outputs(post(server, "statistics", request))
    assert answer == {"mean": [2.5], "deviation": [1.25**0.5]}


def test_statistics_of_nothing_are_refused(server):
    answer = post(server, "statistics", body(tensor("values", "FP64", [0], [])))
    assert answer.status_code == 400
    assert answer.json()["error"] == "there must be a value"


def test_statistics_has_completed_its_config(server):
    config = requests.get(f"{server.url}/v2/models/statistics/config", timeout=60).json()
    assert [entry["name"] for entry in config["output"]] == ["mean", "deviation"]


def test_a_greeting_for_each_name(server):
    request = body(tensor("name", "BYTES", [2, 1], ["Näiad", "Thalassa"]))
    answer = outputs(post(server, "greeting", request))
    assert answer == {"greeting": ["Hello, Näiad!", "Hello, Thalassa!"], "length": [13, 16]}


def ask_route(server, text):
    return post(server, "route", body(tensor("text", "BYTES", [1], [text])))


def test_routing_by_what_a_text_is(server):
    assert outputs(ask_route(server, "1 2 3 4")) == {"answer": ["The mean is 2.5."]}
    assert outputs(ask_route(server, "Thalassa")) == {"answer": ["Hello, Thalassa!"]}


def test_errors_of_those_who_are_asked_are_passed_on(server):
    answer = ask_route(server, "")
    assert answer.status_code == 500
    assert answer.json()["error"] == "there must be a value"


def add(server, sequence, number, **flags):
    one = tensor("number", "INT32", [1, 1], [number])
    request = body(one, parameters={"sequence_id": sequence, **flags})
    return outputs(post(server, "running_total", request))["total"][0]


def test_sequences_are_remembered_apart(server):
    assert add(server, 1, 3, sequence_start=True) == 3
    assert add(server, 2, 10, sequence_start=True) == 10
    assert add(server, 1, 4) == 7
    assert add(server, 2, 1, sequence_end=True) == 11
    assert add(server, 1, 5, sequence_end=True) == 12
    assert add(server, 1, 1, sequence_start=True, sequence_end=True) == 1


def test_words_are_counted_in_metrics(server):
    before = Metrics(server).value("words", model="word_count")
    answer = post(server, "word_count", body(tensor("text", "BYTES", [1], ["one two three"])))
    assert outputs(answer) == {"count": [3]}
    metrics = Metrics(server)
    assert metrics.value("words", model="word_count") == before + 3
    short = metrics.value("word_lengths_bucket", model="word_count", le="4")
    all_of_them = metrics.value("word_lengths_count", model="word_count")
    assert all_of_them - short == 1


@pytest.mark.hippocamp_only("NVIDIA's server has no such backend")
def test_an_ensemble_around_a_native_model(servers):
    names = ["mood", "mood_words", "mood_score", "mood_answer"]
    server = servers.start(names)
    texts = ["What a wonderful day!", "I am sorry, this is bad.", "It is Monday."]
    answer = post(server, "mood", body(tensor("text", "BYTES", [3, 1], texts)))
    assert outputs(answer) == {"mood": ["happy", "sad", "neither"]}


def stream(server, **request):
    answer = requests.post(
        f"{server.url}/v2/models/token_stream/generate_stream", json=request, timeout=60
    )
    assert answer.status_code == 200, answer.text
    events = [line[len("data: ") :] for line in answer.text.splitlines() if line]
    return [json.loads(event)["text_output"] for event in events]


def test_tokens_come_one_by_one(server):
    assert stream(server, text_input="one word after") == ["one ", "word ", "after "]
    assert stream(server, text_input="one word after", max_tokens=2) == ["one ", "word "]
