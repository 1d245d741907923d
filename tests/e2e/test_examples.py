"""The examples in models/ do what their README says."""

import json

import pytest
import requests

from harness.infer import body, outputs, post, tensor
from harness.repository import EXAMPLES

MODELS = ["greeting", "statistics", "token_stream"]


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
