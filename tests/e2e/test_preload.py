"""preload: what instances of a model share because it was made before they were forked."""

import json
import os
import pathlib
import signal
import threading

import pytest

from harness.infer import body, outputs, post, tensor
from harness.server import StartFailed
from test_environments import wait_for

pytestmark = pytest.mark.hippocamp_only("NVIDIA's server has no such hook")

REQUEST = body(tensor("INPUT0", "INT32", [1], [1]))
WEIGHTS_KB = 64 << 10
N_INSTANCES = 3


def ask(server):
    return post(server, "preloads", REQUEST)


def facts_of_all(server):
    """What every instance answers, by its name."""
    found = {}

    def collect():
        while len(found) < N_INSTANCES:
            answer = ask(server)
            if answer.status_code == 200:
                facts = json.loads(outputs(answer)["FACTS"][0])
                found[facts["instance"]] = facts

    threads = [threading.Thread(target=collect) for _ in range(N_INSTANCES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return found


def in_mode(servers, mode):
    return servers.repository().add("preloads", edit={'"plain"': f'"{mode}"'})


def private_kb(pid):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Private_Dirty:"):
            return int(line.split()[1])
    raise AssertionError("no Private_Dirty")


@pytest.mark.parametrize("mode", ["plain", "multiplies"])
def test_instances_share_what_preload_has_made(servers, mode):
    server = servers.start(in_mode(servers, mode))
    found = facts_of_all(server)
    assert set(found) == {f"preloads_0_{i}" for i in range(N_INSTANCES)}
    (template,) = {facts["preloaded_by"] for facts in found.values()}
    assert template not in {facts["pid"] for facts in found.values()}
    for facts in found.values():
        assert facts["sum"] == WEIGHTS_KB * 1024 / 8
        assert facts["product"] == 64
        assert private_kb(facts["pid"]) < WEIGHTS_KB / 2
        assert facts["args"] == ["model_config", "model_name", "model_repository", "model_version"]


def test_instances_have_random_numbers_of_their_own(servers):
    found = facts_of_all(servers.start("preloads"))
    for i in range(2):
        assert len({facts["random"][i] for facts in found.values()}) == N_INSTANCES


def test_a_dead_instance_comes_back_without_another_preload(servers):
    server = servers.start("preloads")
    before = facts_of_all(server)
    dead = before["preloads_0_1"]["pid"]
    os.kill(dead, signal.SIGKILL)
    wait_for(lambda: dead not in server.pids())
    after = facts_of_all(server)
    assert dead not in pids(after)
    assert {facts["preloaded_by"] for facts in after.values()} == {
        before["preloads_0_0"]["preloaded_by"]
    }


def pids(found):
    return {facts["pid"] for facts in found.values()}


def test_a_dead_template_is_made_again_for_the_next_instance(servers):
    server = servers.start("preloads")
    before = facts_of_all(server)
    template = before["preloads_0_0"]["preloaded_by"]
    os.kill(template, signal.SIGKILL)
    wait_for(lambda: template not in server.pids())
    assert pids(facts_of_all(server)) == pids(before)
    os.kill(before["preloads_0_1"]["pid"], signal.SIGKILL)
    wait_for(lambda: before["preloads_0_1"]["pid"] not in server.pids())
    after = facts_of_all(server)
    assert after["preloads_0_1"]["preloaded_by"] != template
    assert server.stop() == 0


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("raises", "ValueError: no weights today"),
        ("leaves a thread", r"preload left 1 threads running \(lazy\)"),
    ],
)
def test_a_preload_that_cannot_be_shared_is_refused(servers, mode, message):
    with pytest.raises(StartFailed, match=message):
        servers.start(in_mode(servers, mode))


def test_the_word_alone_is_no_hook(servers):
    repository = servers.repository().add("identity")
    file = repository.path / "identity" / "1" / "model.py"
    file.write_text(file.read_text() + "\n# has no preload\n")
    server = servers.start(repository)
    assert outputs(post(server, "identity", body(tensor("INPUT0", "FP32", [1], [1]))))
