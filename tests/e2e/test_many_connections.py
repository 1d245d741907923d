"""What connections cost, and how soon events are on the wire: part of the long tier."""

import itertools
import json
import resource
import socket
import statistics
import time

import pytest

from harness.infer import body, tensor
from harness.raw import Connection, request

pytestmark = [
    pytest.mark.long,
    pytest.mark.hippocamp_only("these are aims of Hippocamp's own"),
]

N_IDLE = 10000
LIVE = request("/v2/health/live", method="GET")
INFER = request(
    "/v2/models/identity/infer",
    json.dumps(body(tensor("INPUT0", "FP32", [4], [1, 2, 3, 4]))).encode(),
)


def resident_mb(server):
    with open(f"/proc/{server.process.pid}/status") as file:
        (line,) = [line for line in file if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def connect_many(server, n):
    """Connections that have had an answer each, and now are idle."""
    connections = []
    for i in range(n):
        connection = socket.socket()
        connection.bind((f"127.0.0.{2 + i % 100}", 0))  # a source of ports for each
        connection.connect(("127.0.0.1", server.http_port))
        connections.append(connection)
        connection.sendall(LIVE)
    for connection in connections:
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
    return connections


def best_quarter(values):
    """What a quarter of them is below: the other three may have met a busy machine."""
    return statistics.quantiles(values, n=4)[0]


def request_ms(server, n=2000):
    times = []
    with Connection(server) as connection:
        for _ in range(n):
            begun = time.monotonic()
            assert connection.send(INFER).receive().status == 200
            times.append(time.monotonic() - begun)
    return 1000 * best_quarter(times)


def test_idle_connections_are_cheap(servers):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * N_IDLE:
        pytest.skip("the machine allows too few open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = servers.start("identity")
    alone_ms, alone_mb = request_ms(server), resident_mb(server)
    connections = connect_many(server, N_IDLE)
    try:
        crowded_ms, crowded_mb = request_ms(server), resident_mb(server)
    finally:
        for connection in connections:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    print(
        f"\n{N_IDLE} idle connections: {crowded_mb - alone_mb:.1f} MB, "
        f"a request {alone_ms:.3f} ms without and {crowded_ms:.3f} ms with them"
    )
    assert crowded_mb - alone_mb < 100
    assert crowded_ms < 2 * alone_ms


def event_delays_ms(server):
    """How long after the model has sent it each event of a stream is here."""
    delays_ms = []
    with Connection(server) as connection:
        connection.send(request("/v2/models/clock/generate_stream", b'{"N":10}'))
        connection.receive(with_body=False)
        while len(delays_ms) < 10:
            line = connection.read_line()
            if line.startswith(b"data: "):
                sent_ns = json.loads(line.removeprefix(b"data: "))["NOW"]
                delays_ms.append((time.monotonic_ns() - sent_ns) / 1e6)
    return delays_ms


def test_events_are_on_the_wire_at_once(servers):
    server = servers.start("clock")
    streams = [event_delays_ms(server) for _ in range(30)]
    first = best_quarter([delays[0] for delays in streams])
    all_of_them = best_quarter([delay for delays in streams for delay in delays])
    print(f"\nevents are with the client after {all_of_them:.3f} ms, first ones {first:.3f} ms")
    assert all_of_them < 1
    assert first < 1


HEAD = request("/v2/models/identity/infer", length=100000)


@pytest.mark.parametrize(("part", "at_once"), [("header", b""), ("body", HEAD)])
def test_slow_senders_are_not_waited_for(servers, part, at_once):
    """A byte a second, which is what keeps a connection busy at the least cost."""
    server = servers.start("identity")
    begun = time.monotonic()
    with Connection(server) as other, Connection(server, timeout_s=300) as slow:
        slow.send(at_once)
        for byte in HEAD if part == "header" else itertools.repeat(32):
            slow.send(bytes([byte]))
            if slow.has_something(timeout_s=1):
                break
        answer = slow.receive()
        assert answer is None or answer.status >= 400
        assert other.send(LIVE).receive().status == 200
    seconds = time.monotonic() - begun
    print(f"\na {part} of one byte a second was waited for {seconds:.0f} s")
    assert seconds < 150
