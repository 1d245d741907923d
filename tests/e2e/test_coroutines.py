"""Coroutines of a model that answers by what they return, side by side in one instance."""

import concurrent.futures

import pytest

from harness.infer import body, outputs, post, tensor
from harness.server import StartFailed

pytestmark = pytest.mark.hippocamp_only("NVIDIA's server runs one after the other")


def concurrency(value):
    entry = f'key: "CONCURRENT_EXECUTIONS" value {{ string_value: "{value}" }}'
    return f"parameters {{ {entry} }}"


@pytest.fixture(scope="module")
def server(module_servers):
    repository = module_servers.repository().add("identity")
    return module_servers.start(repository.add("meets", config=concurrency(4)))


def send_all(server, *numbers):
    with concurrent.futures.ThreadPoolExecutor(len(numbers)) as pool:
        requests = [body(tensor("N", "INT32", [1], [n])) for n in numbers]
        return list(pool.map(lambda request: post(server, "meets", request), requests))


def most(answers):
    return [outputs(answer)["MOST"][0] for answer in answers]


def test_coroutines_run_side_by_side(server):
    assert most(send_all(server, 4, 4, 4, 4)) == [4, 4, 4, 4]


def test_no_more_than_the_limit(server):
    """Twelve that wait for no one, and more would meet if they could."""
    assert max(most(send_all(server, *[4] * 12))) == 4


def test_one_that_raises_fails_alone(server):
    *good, bad = send_all(server, 4, 4, 4, -4)
    assert most(good) == [4, 4, 4]
    assert bad.status_code == 500 and "ValueError: one that raises" in bad.json()["error"]
    assert most(send_all(server, 1)) == [1]


@pytest.mark.parametrize("value", ["0", "many", "1000", ""])
def test_limits_that_are_none_are_refused(servers, value):
    repository = servers.repository().add("identity")
    with pytest.raises(StartFailed, match="CONCURRENT_EXECUTIONS must be a number from 1 to 256"):
        servers.start(repository.add("meets", config=concurrency(value)))
