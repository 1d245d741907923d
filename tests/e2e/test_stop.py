"""How a server ends: work in flight is finished, models are finalized, nothing is left."""

import signal
import time

import pytest

from harness.gate import HeldRequest
from harness.infer import outputs
from harness.processes import describe, wait_until_gone
from harness.raw import Connection, request

# Idle connections hold NVIDIA's server for as long as --exit-timeout-secs allows.
CLOSE = {"Connection": "close"}
QUICK_S = 2


def assert_nothing_left(server, timeout_s=10):
    left = wait_until_gone(server.mark, timeout_s)
    assert not left, describe(left)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_idle_server(servers, number):
    server = servers.start("gate")
    server.signal(number)
    assert server.wait() == 0
    assert_nothing_left(server)
    server.finish()
    assert "gate: finalize was called" in server.log()


def test_work_in_flight_is_finished_first(servers, tmp_path):
    server = servers.start("gate")
    held = HeldRequest(server, tmp_path / "held", CLOSE)
    server.signal(signal.SIGTERM)
    assert server.output.wait_for(r"Signal \(15\) received")
    held.release()
    assert outputs(held.wait())["DONE"] == [1]
    assert server.wait() == 0
    assert_nothing_left(server)
    server.finish()
    assert "gate: finalize was called" in server.log()


def test_new_connections_are_refused_while_work_is_finished(servers, tmp_path):
    server = servers.start("gate")
    held = HeldRequest(server, tmp_path / "held", CLOSE)
    server.signal(signal.SIGTERM)
    assert server.output.wait_for(r"Signal \(15\) received")
    give_up_at = time.monotonic() + 30
    refused = False
    while not refused and time.monotonic() < give_up_at:
        refused = is_refused(server)
    assert refused
    held.release()
    assert outputs(held.wait())["DONE"] == [1]
    assert server.wait() == 0


def is_refused(server):
    """Whether a new connection gets no health report any more."""
    try:
        with Connection(server, timeout_s=5) as connection:
            response = connection.send(request("/v2/health/ready", method="GET")).receive()
            return response is None or response.status == 503
    except (TimeoutError, ConnectionError):
        return True


@pytest.mark.hippocamp_only("NVIDIA's server waits for its clients to close idle connections")
def test_idle_connections_do_not_delay_the_end(servers):
    server = servers.start("gate")
    with Connection(server) as connection:
        connection.send(request("/v2/health/live", method="GET"))
        assert connection.receive().status == 200
        begun_at = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begun_at < QUICK_S
        assert connection.is_closed_by_server()


@pytest.mark.hippocamp_only("NVIDIA's server counts whole seconds")
def test_an_idle_server_ends_at_once(servers):
    server = servers.start(["identity", "add_sub"])
    begun_at = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begun_at < QUICK_S


def test_work_that_does_not_end_is_given_up_after_the_timeout(servers, tmp_path):
    server = servers.start("gate", "--exit-timeout-secs=1")
    held = HeldRequest(server, tmp_path / "held", CLOSE)
    server.signal(signal.SIGTERM)
    assert server.wait() == 1
    assert_nothing_left(server)
    server.finish()
    assert "Exit timeout expired. Exiting immediately." in server.log()
    with pytest.raises(OSError):
        held.wait()


@pytest.mark.hippocamp_only("NVIDIA's server ignores all signals but the first")
def test_a_second_signal_ends_it_at_once(servers, tmp_path):
    server = servers.start("gate")
    HeldRequest(server, tmp_path / "held", CLOSE)
    server.signal(signal.SIGTERM)
    assert server.output.wait_for(r"Signal \(15\) received")
    server.signal(signal.SIGTERM)
    assert server.wait() != 0
    assert_nothing_left(server)


def test_no_process_outlives_a_killed_server(servers, tmp_path):
    server = servers.start(["gate", "forks", "barrier"])
    HeldRequest(server, tmp_path / "held")
    assert len(server.pids()) > 6
    server.signal(signal.SIGKILL)
    server.wait()
    assert_nothing_left(server)
