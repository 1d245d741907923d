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


DESCENDS = """import asyncio
import numpy as np
import triton_python_backend_utils as pb_utils

class TritonPythonModel:
    async def execute(self, requests):
        return [await self.descend(request) for request in requests]

    async def descend(self, request):
        depth = request.inputs()[0].as_numpy()
        if depth[0] > 0:
            inner = pb_utils.InferenceRequest(
                model_name="identity",
                requested_output_names=["OUTPUT0"],
                inputs=[pb_utils.Tensor("INPUT0", depth - 1)],
            )
            answer = await HOW
            if answer.has_error():
                raise pb_utils.TritonModelException(answer.error().message())
        return pb_utils.InferenceResponse([pb_utils.Tensor("OUTPUT0", depth)])
"""


@pytest.mark.parametrize("how", ["inner.async_exec()", "asyncio.to_thread(inner.exec)"])
def test_a_model_may_ask_itself_as_often_as_it_runs(servers, how):
    repository = servers.repository().add("identity", config=concurrency(3))
    model = DESCENDS.replace("HOW", how)
    server = servers.start(repository.write("identity/1/model.py", model))

    def descend(depth):
        return post(server, "identity", body(tensor("INPUT0", "FP32", [1], [depth])))

    assert outputs(descend(2))["OUTPUT0"] == [2]
    assert "every instance of model 'identity' waits" in descend(3).json()["error"]
    assert outputs(descend(2))["OUTPUT0"] == [2]


@pytest.mark.parametrize("value", ["0", "many", "1000", ""])
def test_limits_that_are_none_are_refused(servers, value):
    repository = servers.repository().add("identity")
    with pytest.raises(StartFailed, match="CONCURRENT_EXECUTIONS must be a number from 1 to 256"):
        servers.start(repository.add("meets", config=concurrency(value)))
