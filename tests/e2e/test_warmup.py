"""Warm-up: what a model has seen before it is ready."""

import json
import struct

import requests

from harness.infer import body, outputs, post, tensor

NUMBERS = 'key: "NUMBERS" value { data_type: TYPE_INT32 dims: [ 3 ]'
TEXT = 'key: "TEXT" value { data_type: TYPE_STRING dims: [ 1 ]'


def sample(name, numbers="zero_data: true", text="zero_data: true", batch_size=1, count=0):
    return f"""
model_warmup [{{
  name: "{name}" batch_size: {batch_size} count: {count}
  inputs {{ {NUMBERS} {numbers} }} }}
  inputs {{ {TEXT} {text} }} }}
}}]
"""


def seen(server):
    request = body(
        tensor("NUMBERS", "INT32", [1, 3], [7, 8, 9]), tensor("TEXT", "BYTES", [1, 1], ["x"])
    )
    (text,) = outputs(post(server, "warm", request))["SEEN"]
    return [json.loads(line) for line in text.splitlines()]


def test_samples_are_executed_before_the_model_is_ready(servers):
    repository = servers.repository().add(
        "warm",
        config=sample("zeros", count=2)
        + sample("three", batch_size=3)
        + sample("none", batch_size=0)
        + sample("file", numbers='input_data_file: "numbers"', text='input_data_file: "text"'),
    )
    folder = repository.path / "warm" / "warmup"
    folder.mkdir()
    (folder / "numbers").write_bytes(struct.pack("<3i", 1, -2, 3))
    (folder / "text").write_bytes(struct.pack("<I", 3) + b"abc")
    zeros = [[[0, 0, 0]], [[""]]]
    assert seen(servers.start(repository)) == [
        [zeros],
        [zeros],
        [zeros, zeros, zeros],
        [[[[1, -2, 3]], [["abc"]]]],
    ]


def test_random_data_is_random(servers):
    config = sample("random", numbers="random_data: true", count=2)
    (first,), (second,) = seen(servers.start(servers.repository().add("warm", config=config)))
    assert first[0] != second[0] or first[0] != [[0, 0, 0]]


def test_every_instance_is_warmed_up(servers):
    config = sample("zeros") + "instance_group [{ count: 3 kind: KIND_CPU }]\n"
    server = servers.start(servers.repository().add("warm", config=config))
    for _ in range(6):
        assert [[[0, 0, 0]], [[""]]] in seen(server)[0]


def test_samples_are_counted_like_requests(servers):
    server = servers.start(servers.repository().add("warm", config=sample("zeros", count=3)))
    (stats,) = requests.get(f"{server.url}/v2/models/warm/stats").json()["model_stats"]
    assert (stats["inference_count"], stats["inference_stats"]["success"]["count"]) == (3, 3)


def test_a_model_that_fails_its_samples_is_not_loaded(servers):
    repository = servers.repository().add(
        "warm", config=sample("first"), edit={'string_value: "no"': 'string_value: "yes"'}
    )
    server = servers.start(repository, "--exit-on-error=false", wait=False)
    failure = server.output.wait_for("failed to load 'warm' version 1: (.*)")
    assert failure[1].startswith(
        "Invalid argument: failed to run warmup sample 'first': Failed to process the request(s) "
        "for model 'warm_0"
    )
    assert "still cold" in failure[1]
