"""Loading a model again and again while it is asked: no request fails, and nothing grows."""

import os
import threading

import pytest
import requests

from harness.control import EXPLICIT, load, say, set_word, wait_until

pytestmark = pytest.mark.hippocamp_only("what is measured is this server's own")

N_CLIENTS = 2


class Size:
    """What a server takes: descriptors, processes, threads, memory of its own."""

    def __init__(self, server):
        process = f"/proc/{server.process.pid}"
        self.n_descriptors = len(os.listdir(f"{process}/fd"))
        self.n_threads = len(os.listdir(f"{process}/task"))
        self.n_processes = len(server.pids())
        with open(f"{process}/smaps_rollup") as file:
            fields = dict(line.split(":", 1) for line in file if ":" in line)
        self.private_kib = int(fields["Anonymous"].split()[0])
        with open(f"{process}/maps") as file:
            self.n_maps = len(file.readlines())

    def counts(self):
        return self.n_descriptors, self.n_threads, self.n_processes

    def __str__(self):
        return str(vars(self))


class Clients:
    """Threads that ask until they are told to stop; every answer must be good."""

    def __init__(self, server):
        self._server = server
        self._stop = threading.Event()
        self._failures = []
        self.n_answers = 0
        self._threads = [threading.Thread(target=self._ask) for _ in range(N_CLIENTS)]
        for thread in self._threads:
            thread.start()

    def _ask(self):
        try:
            with requests.Session() as session:
                while not self._stop.is_set():
                    say(self._server, session=session)
                    self.n_answers += 1
        except Exception as failure:
            self._failures.append(failure)

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        assert not self._failures


def reload(server, n, first):
    clients = Clients(server)
    try:
        for i in range(first, first + n):
            set_word(server, f"word {i}")
            answer = load(server, "says")
            assert answer.status_code == 200, answer.text
            assert say(server) == f"word {i}"
    finally:
        clients.stop()
    return clients.n_answers


def check_that_nothing_fails_or_grows(servers, n_reloads):
    server = servers.start("says", EXPLICIT, "--load-model=says")
    warm_up = 5
    reload(server, warm_up, first=0)
    settled = Size(server).n_processes
    wait_until(lambda: Size(server).n_processes <= settled, "the end of old instances")
    before = Size(server)
    n_answers = reload(server, n_reloads, first=warm_up)
    wait_until(lambda: Size(server).counts() <= before.counts(), f"{Size(server)}, was {before}")
    after = Size(server)
    assert n_answers > n_reloads
    assert after.private_kib <= before.private_kib + 4096, f"{after}, was {before}"
    assert after.n_maps <= before.n_maps + 8, f"{after}, was {before}"


def test_nothing_fails_or_grows(servers):
    check_that_nothing_fails_or_grows(servers, 20)


@pytest.mark.long
def test_nothing_fails_or_grows_in_two_hundred_reloads(servers):
    check_that_nothing_fails_or_grows(servers, 200)
