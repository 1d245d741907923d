"""Processes of models that die: every request gets an answer, and the service comes back."""

import collections
import os
import signal
import threading
import time

import pytest
import requests

from harness.infer import body, error_of, outputs, post, tensor
from harness.processes import describe, wait_until_gone

HEALS = "NVIDIA's server does not start a dead process again"
N_KILLS = 50
N_CLIENTS = 4
BACK_WITHIN_S = 30

WAYS = {"SIGKILL": 1, "os._exit": 2, "abort": 3, "segmentation fault": 4}


def ask(server, how=0, session=requests):
    return post(server, "crash", body(tensor("HOW", "INT32", [1], [how])), session=session)


def pid_of(server):
    return outputs(ask(server))["PID"][0]


def wait_for_another(server, old_pid):
    """Waits until the model is served by another process than `old_pid`; returns its id."""
    give_up_at = time.monotonic() + BACK_WITHIN_S
    while time.monotonic() < give_up_at:
        answer = ask(server)
        if answer.status_code == 200 and outputs(answer)["PID"][0] != old_pid:
            return outputs(answer)["PID"][0]
    raise AssertionError(f"the model did not come back: {answer.text}")


@pytest.mark.parametrize("way", WAYS)
def test_a_request_that_kills_its_model_gets_an_error(servers, way):
    server = servers.start(["crash", "identity"])
    answer = ask(server, WAYS[way])
    assert answer.status_code in (500, 503)
    assert "crash_0" in error_of(answer)
    other = post(server, "identity", body(tensor("INPUT0", "FP32", [1], [7])))
    assert outputs(other)["OUTPUT0"] == [7]


@pytest.mark.hippocamp_only("NVIDIA's server says nothing about where a model was")
@pytest.mark.parametrize("way", ["abort", "segmentation fault"])
def test_a_crash_says_where_the_model_was(servers, way):
    server = servers.start("crash")
    ask(server, WAYS[way])
    assert server.output.wait_for("^Fatal Python error: (Aborted|Segmentation fault)")
    assert server.output.wait_for(r'crash/1/model.py", line \d+ in end$')
    assert server.output.wait_for(r'crash/1/model.py", line \d+ in execute$')


@pytest.mark.hippocamp_only(HEALS)
@pytest.mark.parametrize("way", WAYS)
def test_a_model_comes_back(servers, way):
    server = servers.start("crash")
    for _ in range(3):
        pid = pid_of(server)
        ask(server, WAYS[way])
        wait_for_another(server, pid)
    assert requests.get(f"{server.url}/v2/health/ready", timeout=60).status_code == 200


@pytest.mark.hippocamp_only(HEALS)
def test_a_model_comes_back_when_it_is_killed_while_idle(servers):
    server = servers.start("crash")
    pid = pid_of(server)
    os.kill(pid, signal.SIGKILL)
    wait_for_another(server, pid)


class Load:
    """Clients that ask without pause and count what they are told."""

    def __init__(self, server):
        self.statuses = collections.Counter()
        self.unanswered = []
        self._server = server
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(N_CLIENTS)]
        for thread in self._threads:
            thread.start()

    def _run(self):
        with requests.Session() as session:
            while not self._over.is_set():
                try:
                    answer = ask(self._server, session=session)
                    self.statuses[answer.status_code] += 1
                    assert answer.status_code == 200 or error_of(answer)
                except Exception as error:  # whatever it is, the test must tell of it
                    self.unanswered.append(repr(error))

    def end(self):
        self._over.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive(), "a request was never answered"


@pytest.mark.hippocamp_only(HEALS)
@pytest.mark.parametrize("n_instances", [1, 2])
def test_every_request_is_answered_while_processes_are_killed(servers, n_instances):
    repository = servers.repository()
    repository.add("crash", config="instance_group [{ count: %d }]\n" % n_instances)
    server = servers.start(repository)
    load = Load(server)
    killed = set()
    try:
        for _ in range(N_KILLS):
            pid = pid_when_served(server)
            killed.add(pid)
            os.kill(pid, signal.SIGKILL)
            wait_for_another(server, pid)
    finally:
        load.end()
    assert len(killed) == N_KILLS
    assert not load.unanswered
    assert load.statuses[200] > N_KILLS
    assert set(load.statuses) <= {200, 500, 503}
    assert sum(load.statuses.values()) - load.statuses[200] <= N_KILLS * (N_CLIENTS + 1)
    assert server.stop() == 0
    left = wait_until_gone(server.mark, 10)
    assert not left, describe(left)


def pid_when_served(server):
    """The id of a process that serves now; requests that a kill has failed are repeated."""
    give_up_at = time.monotonic() + BACK_WITHIN_S
    while time.monotonic() < give_up_at:
        answer = ask(server)
        if answer.status_code == 200:
            return outputs(answer)["PID"][0]
    raise AssertionError(f"the model did not come back: {answer.text}")


@pytest.mark.hippocamp_only(HEALS)
def test_files_and_processes_do_not_pile_up(servers):
    server = servers.start("crash")

    def kill_once():
        pid = pid_when_served(server)
        os.kill(pid, signal.SIGKILL)
        wait_for_another(server, pid)

    kill_once()
    n_files = len(os.listdir(f"/proc/{server.process.pid}/fd"))
    n_processes = len(server.pids())
    for _ in range(10):
        kill_once()
    assert len(os.listdir(f"/proc/{server.process.pid}/fd")) <= n_files + 2
    assert len(server.pids()) <= n_processes
