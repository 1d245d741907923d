"""The rate limiter: instances of all models share resources, which are only names with counts."""

import concurrent.futures
import re
import threading

import pytest
import requests

from harness.gate import HeldRequest
from harness.infer import body, outputs, post, tensor

ON = "--rate-limit=execution_count"

QUESTION = body(tensor("INPUT0", "INT32", [1], [0]))
KILL = body(tensor("HOW", "INT32", [1], [1]))


def group(*resources, priority=0, count=1):
    lines = ", ".join(f"{{ {resource} }}" for resource in resources)
    return (
        f"\ninstance_group [{{ kind: KIND_CPU count: {count} rate_limiter {{ resources [ {lines} ] "
        f"priority: {priority} }} }}]\n"
    )


ONE = 'name: "R" count: 1'
TWO = 'name: "R" count: 2'


def gate_and_says(servers, gate_group, says_group):
    return servers.repository().add("gate", config=gate_group).add("says", config=says_group)


def is_held_up(server, folder):
    """Whether a request to `says` waits as long as `gate` has one; it is answered after that."""
    held = HeldRequest(server, folder)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        other = pool.submit(post, server, "says", QUESTION)
        waits = not concurrent.futures.wait([other], timeout=0.5).done
        held.release()
        outputs(other.result())
    assert held.wait().status_code == 200
    return waits


HELD_UP = {
    "a resource of which there is one": ([ON], group(ONE), group(ONE), True),
    "enough for one, but not for both": ([ON], group(TWO), group(ONE), True),
    "enough for both": ([ON, "--rate-limit-resource=R:2"], group(ONE), group(ONE), False),
    "enough on the device": ([ON, "--rate-limit-resource=R:2:0"], group(ONE), group(ONE), False),
    "different resources": ([ON], group(ONE), group('name: "S" count: 1'), False),
    "nothing that is needed": ([ON], group(ONE), group(), False),
    "a global resource": (
        [ON],
        group('name: "G" count: 1 global: true'),
        group('name: "G" count: 1 global: true'),
        True,
    ),
    "no rate limiter": ([], group(ONE), group(ONE), False),
}


@pytest.mark.parametrize("what", HELD_UP)
def test_models_wait_for(servers, tmp_path, what):
    options, gate_group, says_group, waits = HELD_UP[what]
    server = servers.start(gate_and_says(servers, gate_group, says_group), *options)
    assert is_held_up(server, tmp_path / "first") == waits
    assert is_held_up(server, tmp_path / "second") == waits


REFUSED = {
    "less than is needed": (
        ["--rate-limit-resource=R:1"],
        'Resource count for "R" is limited to 1 which will prevent scheduling of one or more model '
        "instances, the minimum required count is 2",
    ),
    "less on the device": (
        ["--rate-limit-resource=R:8:1", "--rate-limit-resource=R:1:0"],
        'Resource count for "R" is limited to 1 which will prevent scheduling of one or more model '
        "instances, the minimum required count is 2",
    ),
    "nothing said of it": (
        ["--rate-limit-resource=S:1"],
        'Resource count for "R" is limited to 0 which will prevent scheduling of one or more model '
        "instances, the minimum required count is 2",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_model_that_could_never_run_is_refused_for(servers, what):
    options, message = REFUSED[what]
    repository = servers.repository().add("says", config=group(TWO))
    server = servers.start(repository, ON, *options, wait=False)
    wanted = re.escape(message).replace('"', r'\\?"')
    assert server.output.wait_for(wanted), server.log()


def test_a_resource_is_either_of_a_device_or_of_all(servers):
    repository = gate_and_says(servers, group(ONE), group('name: "R" count: 1 global: true'))
    server = servers.start(repository, ON, wait=False)
    message = (
        r'Resource \\?"R\\?" is present as both global and device-specific resource in the model '
        "configuration."
    )
    assert server.output.wait_for(message), server.log()


def executions(server, model):
    statistics = requests.get(f"{server.url}/v2/models/{model}/stats").json()
    return statistics["model_stats"][0]["execution_count"]


SLOW = """
import time
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        time.sleep(0.01)
        return [pb_utils.InferenceResponse(output_tensors=[]) for _ in requests]
"""


def test_priorities_divide_the_turns(servers):
    repository = servers.repository()
    for name, priority in (("often", 1), ("seldom", 3)):
        repository.add("says", name, config=group(ONE, priority=priority))
        repository.write(f"{name}/1/model.py", SLOW)
    server = servers.start(repository, ON)
    enough = threading.Event()

    def ask(model):
        with requests.Session() as session:
            while not enough.is_set():
                outputs(post(server, model, QUESTION, session=session))

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        asking = [pool.submit(ask, ("often", "seldom")[i % 2]) for i in range(8)]
        try:
            while executions(server, "seldom") < 50:
                assert not any(one.done() for one in asking)
        finally:
            enough.set()
        for one in asking:
            one.result()
    ratio = executions(server, "often") / executions(server, "seldom")
    assert 2 < ratio < 4


def test_an_instance_that_dies_gives_back_what_it_has(servers):
    repository = servers.repository().add("crash", config=group(ONE)).add("says", config=group(ONE))
    server = servers.start(repository, ON)
    for _ in range(3):
        assert post(server, "crash", KILL).status_code == 500
        assert outputs(post(server, "says", QUESTION))
