"""The hook is_ready: a model's own word on whether it is ready."""

import concurrent.futures

import pytest
import requests

from harness.infer import body, outputs, post, tensor

pytestmark = pytest.mark.hippocamp_only("NVIDIA's server has the hook in later versions than 2.51")


@pytest.fixture
def server(servers):
    return servers.start(["checks", "identity"])


def answer_with(server, answer):
    """Has the model answer so from now on; returns how often it was asked before."""
    answered = post(server, "checks", body(tensor("ANSWER", "BYTES", [1], [answer])))
    return outputs(answered)["CALLS"][0]


def ready(server, path):
    return requests.get(f"{server.url}/v2/{path}/ready", timeout=60).status_code == 200


@pytest.mark.parametrize(
    ("answer", "expected", "message"),
    [
        ("true", True, None),
        ("coroutine", True, None),
        ("false", False, r"Model 'checks_0' is not ready \(user-defined check failed\)"),
        ("raise", False, "ValueError: no coffee"),
        ("number", False, r"is_ready\(\) must return a boolean value"),
    ],
)
def test_readiness_is_what_the_model_says(server, answer, expected, message):
    answer_with(server, answer)
    assert ready(server, "models/checks") == expected
    assert ready(server, "health") == expected
    assert ready(server, "models/identity")
    assert requests.get(f"{server.url}/v2/health/live", timeout=60).status_code == 200
    if message is not None:
        assert server.output.wait_for(message)
    answer_with(server, "true")
    assert ready(server, "models/checks") and ready(server, "health")


def test_the_model_is_asked_each_time(server):
    before = answer_with(server, "true")
    for _ in range(3):
        assert ready(server, "models/checks")
    assert answer_with(server, "true") == before + 3


def test_a_check_that_takes_too_long_means_no_until_it_ends(server):
    before = answer_with(server, "wait")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert not any(pool.map(lambda _: ready(server, "models/checks"), range(4)))
    assert server.output.wait_for(r"Timed out waiting for user-defined is_ready\(\) response")
    assert not ready(server, "models/checks")
    assert answer_with(server, "true") == before + 1
    deadline = 100
    while not ready(server, "models/checks"):
        deadline -= 1
        assert deadline > 0
