"""The statistics extension: its JSON, and what is counted when."""

import pytest
import requests

from harness.control import QUESTION, client_of, say, wait_until
from harness.infer import body, error_of, post, tensor

PARTS = ["success", "fail", "queue", "compute_input", "compute_infer", "compute_output"]


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start(["says", "versions", "batched", "misbehaves", "repeat"])


def stats_of(server, path):
    answer = requests.get(f"{server.url}/v2/models/{path}", timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()["model_stats"]


def wait_for_executions(server, model, n):
    """An execution has ended, and is counted, when the answers to its requests have gone."""
    wait_until(lambda: stats_of(server, f"{model}/stats")[0]["execution_count"] == n, "executions")


def test_the_form_is_exact(servers):
    server = servers.start("says")
    answer = requests.get(f"{server.url}/v2/models/says/stats", timeout=60)
    none = '{"count":0,"ns":0}'
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.text == (
        '{"model_stats":[{"name":"says","version":"1","last_inference":0,"inference_count":0,'
        f'"execution_count":0,"inference_stats":{{"success":{none},"fail":{none},"queue":{none},'
        f'"compute_input":{none},"compute_infer":{none},"compute_output":{none},'
        f'"cache_hit":{none},"cache_miss":{none}}},"response_stats":{{}},"batch_stats":[],'
        '"memory_usage":[]}]}'
    )


def test_requests_and_executions_are_counted(server):
    before = stats_of(server, "says/stats")[0]
    for _ in range(3):
        say(server)
    wait_for_executions(server, "says", before["execution_count"] + 3)
    (after,) = client_of(server).get_inference_statistics("says")["model_stats"]
    assert after["inference_count"] - before["inference_count"] == 3
    assert after["last_inference"] > before["last_inference"]
    inferences = after["inference_stats"]
    for part in PARTS:
        expected = 0 if part == "fail" else after["inference_count"]
        assert inferences[part]["count"] == expected, part
    parts_ns = sum(inferences[part]["ns"] for part in PARTS[2:])
    assert 0 < parts_ns <= inferences["success"]["ns"]
    (batch,) = after["batch_stats"]
    assert batch["batch_size"] == 1
    assert batch["compute_infer"]["count"] == after["execution_count"]


def test_times_of_a_decoupled_model(server):
    """From its first request on: what is sent while execute() runs has the times of that run."""
    for n in (1, 2, 3):
        url = f"{server.url}/v2/models/repeat/generate_stream"
        assert requests.post(url, json={"INPUT0": [1, 2]}, timeout=60).status_code == 200
        wait_for_executions(server, "repeat", n)
        (after,) = stats_of(server, "repeat/stats")
        inferences = after["inference_stats"]
        assert inferences["compute_infer"]["ns"] > 0
        assert sum(inferences[part]["ns"] for part in PARTS[2:]) <= inferences["success"]["ns"]
        for response in after["response_stats"].values():
            assert response["success"]["ns"] <= inferences["success"]["ns"]


def test_batches_are_told_apart_by_their_size(server):
    for n in (3, 1, 3):
        values = tensor("INPUT0", "INT32", [n, 2], [0] * (2 * n))
        assert post(server, "batched", body(values)).status_code == 200
    wait_for_executions(server, "batched", 3)
    (stats,) = stats_of(server, "batched/versions/1/stats")
    counts = [(b["batch_size"], b["compute_infer"]["count"]) for b in stats["batch_stats"]]
    assert counts == [(1, 1), (3, 2)]
    assert stats["inference_count"] == 7


def test_failures_are_counted(server):
    request = body(tensor("HOW", "BYTES", [1], ["raise"]))
    assert post(server, "misbehaves", request).status_code == 500
    assert post(server, "misbehaves", {"inputs": []}).status_code == 400
    wait_for_executions(server, "misbehaves", 1)
    (stats,) = stats_of(server, "misbehaves/stats")
    assert stats["inference_stats"]["fail"]["count"] == 1
    assert stats["inference_stats"]["fail"]["ns"] > 0
    assert stats["inference_stats"]["success"]["count"] == 0
    assert stats["inference_count"] == 0


def test_all_models_and_versions_are_listed_in_order(server):
    names = [(s["name"], s["version"]) for s in stats_of(server, "stats")]
    versions = [("versions", version) for version in ("1", "3", "10")]
    ones = [(name, "1") for name in ("batched", "misbehaves", "repeat", "says")]
    assert names == [*ones, *versions]
    assert [s["version"] for s in stats_of(server, "versions/stats")] == ["1", "3", "10"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nobody/stats", "requested model 'nobody' is not available"),
        (
            "says/versions/7/stats",
            "requested model version is not available for model 'says'",
        ),
    ],
)
def test_what_is_not_there_has_no_statistics(server, path, message):
    answer = requests.get(f"{server.url}/v2/models/{path}", timeout=60)
    assert answer.status_code == 400
    assert error_of(answer) == message


def test_reading_does_not_count(server):
    before = stats_of(server, "says/stats")
    stats_of(server, "stats")
    assert post(server, "says", {**QUESTION, "outputs": [{"name": "NONE"}]}).status_code == 400
    assert stats_of(server, "says/stats") == before


@pytest.mark.hippocamp_only("NVIDIA's Python backend counts responses after Triton 2.51")
def test_responses_of_decoupled_models_are_counted_by_their_place(servers):
    server = servers.start("repeat")
    for n in (3, 0, 2):
        url = f"{server.url}/v2/models/repeat/generate_stream"
        assert requests.post(url, json={"INPUT0": [0] * n}, timeout=60).status_code == 200
    (model,) = stats_of(server, "repeat/stats")
    counts = {
        place: {what: found["count"] for what, found in response.items()}
        for place, response in model["response_stats"].items()
    }
    kinds = ("compute_infer", "compute_output", "success", "fail", "empty_response", "cancel")
    assert counts == {
        "0": dict(zip(kinds, (2, 2, 2, 0, 1, 0), strict=True)),
        "1": dict(zip(kinds, (2, 2, 2, 0, 0, 0), strict=True)),
        "2": dict(zip(kinds, (1, 1, 1, 0, 1, 0), strict=True)),
        "3": dict(zip(kinds, (0, 0, 0, 0, 1, 0), strict=True)),
    }
