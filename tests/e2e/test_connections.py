"""The HTTP/1.1 of the server, byte by byte."""

import gzip
import json
import zlib

import pytest

from harness import zstd
from harness.infer import body, tensor, with_blob
from harness.raw import Connection, request

INFER = "/v2/models/identity/infer"
LIVE = "/v2/health/live"
BODY = json.dumps(body(tensor("INPUT0", "FP32", [2], [1, 2]))).encode()
GOOD = request(INFER, BODY)
CHUNKED = "Transfer-Encoding: chunked"


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start(["identity", "misbehaves"])


@pytest.fixture
def connection(server):
    with Connection(server) as connection:
        yield connection


def assert_good(response):
    assert response.status == 200
    assert response.json()["outputs"][0]["data"] == [1, 2]


def chunks(*pieces):
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))


def test_a_connection_serves_many_requests(connection):
    for _ in range(5):
        assert_good(connection.send(GOOD).receive())


@pytest.mark.hippocamp_only("NVIDIA's server forgets the third")
def test_requests_may_be_sent_before_the_answers_are_read(connection):
    connection.send(GOOD + request(LIVE, method="GET") + GOOD)
    assert_good(connection.receive())
    assert connection.receive().status == 200
    assert_good(connection.receive())


@pytest.mark.hippocamp_only("NVIDIA's server looks for a path that it has read in part")
def test_a_request_may_come_byte_by_byte(connection):
    for i in range(len(GOOD)):
        connection.send(GOOD[i : i + 1])
    assert_good(connection.receive())


def test_the_connection_is_closed_when_the_client_asks_for_it(connection):
    connection.send(request(INFER, BODY, headers=["Connection: close"]))
    assert_good(connection.receive())
    assert connection.is_closed_by_server()


def test_http_1_0_closes(connection):
    connection.send(request(INFER, BODY, version="HTTP/1.0"))
    assert_good(connection.receive())
    assert connection.is_closed_by_server()


def test_http_1_0_stays_open_when_the_client_asks_for_it(connection):
    keep = request(INFER, BODY, version="HTTP/1.0", headers=["Connection: keep-alive"])
    for _ in range(2):
        assert_good(connection.send(keep).receive())


def test_a_body_may_come_in_chunks(connection):
    content = chunks(BODY[:20], BODY[20:21], BODY[21:])
    for _ in range(2):
        assert_good(
            connection.send(request(INFER, content, length=False, headers=[CHUNKED])).receive()
        )


def test_the_server_says_continue_when_asked(connection):
    connection.send(request(INFER, length=len(BODY), headers=["Expect: 100-continue"]))
    assert connection.receive().status == 100
    assert_good(connection.send(BODY).receive())


OURS = pytest.mark.hippocamp_only("NVIDIA's server has gzip and deflate")


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        pytest.param("zstd", zstd.compress, marks=OURS),
    ],
)
def test_compressed_bodies(connection, encoding, encode):
    headers = [f"Content-Encoding: {encoding}"]
    assert_good(connection.send(request(INFER, encode(BODY), headers=headers)).receive())


@pytest.mark.parametrize(
    ("encoding", "decode"),
    [
        ("gzip", gzip.decompress),
        ("deflate", zlib.decompress),
        pytest.param("zstd", zstd.decompress, marks=OURS),
    ],
)
def test_compressed_answers(connection, encoding, decode):
    headers = [f"Accept-Encoding: {encoding};q=1, identity;q=0.5"]
    response = connection.send(request(INFER, BODY, headers=headers)).receive()
    assert response.headers["content-encoding"] == encoding
    assert json.loads(decode(response.body))["outputs"][0]["data"] == [1, 2]


ERRORS = {
    "bad JSON": request(INFER, b"{"),
    "no such path": request("/nowhere", b"{}"),
    "no such model": request("/v2/models/nobody/infer", BODY),
    "wrong method": request(INFER, BODY, method="PUT"),
    "an error in the model": request(
        "/v2/models/misbehaves/infer",
        json.dumps(body(tensor("HOW", "BYTES", [1], ["raise"]))).encode(),
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_a_connection_outlives_errors(connection, name):
    for _ in range(2):
        assert connection.send(ERRORS[name]).receive().status >= 400
        assert_good(connection.send(GOOD).receive())


@pytest.mark.hippocamp_only("NVIDIA's server forgets what came together with some bad requests")
@pytest.mark.parametrize("name", ERRORS)
def test_what_follows_an_error_at_once_is_answered(connection, name):
    connection.send(ERRORS[name] + GOOD)
    assert connection.receive().status >= 400
    assert_good(connection.receive())


# What NVIDIA's server does about each: the status of its answer, None when it just hangs up. Either
# way the connection is closed.
MALFORMED = {
    "no HTTP": (b"\x16\x03\x01\x02\x00nonsense\r\n\r\n", None),
    "a request line of one word": (b"NONSENSE\r\n\r\n", None),
    "bare line feeds": (b"GET /v2/health/live HTTP/1.1\nHost: localhost\n\n", None),
    "a folded header": (request(LIVE, method="GET", headers=["A: b\r\n c"]), None),
    "a Content-Length in words": (request(INFER, BODY, length="many"), None),
    "a Content-Length below zero": (request(INFER, BODY, length=-1), None),
    "a Content-Length with a sign": (request(INFER, BODY, length="+80"), None),
    "a Content-Length beyond 64 bits": (request(INFER, BODY, length=10**30), None),
    "two lengths": (request(INFER, BODY, headers=["Content-Length: 5"]), 500),
    "a length and chunks": (request(INFER, BODY, headers=[CHUNKED]), None),
    "a chunk size that is no number": (
        request(INFER, b"zz\r\n", length=False, headers=[CHUNKED]),
        None,
    ),
    "a header too large": (request(LIVE, method="GET", headers=["A: " + "a" * 200000]), None),
    "a path too long": (request("/" + "a" * 100000, method="GET"), None),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_requests_end_the_connection(server, differences, name):
    data, status = MALFORMED[name]
    status, _ = differences.expected(name, status, None)
    with Connection(server) as connection:
        response = connection.send(data).receive()
        assert (response.status if response else None) == status
        assert connection.is_closed_by_server()
    with Connection(server) as connection:
        assert_good(connection.send(GOOD).receive())


@pytest.mark.parametrize("n_missing", [1, len(BODY)])
def test_a_body_cut_short_is_not_served(server, n_missing):
    with Connection(server) as connection:
        connection.send(request(INFER, BODY[:-n_missing], length=len(BODY))).end_sending()
        response = connection.receive()
        assert response is None or response.status == 400
        assert connection.is_closed_by_server()
    with Connection(server) as connection:
        assert_good(connection.send(GOOD).receive())


def test_a_client_may_leave_at_any_byte(server):
    for i in range(0, len(GOOD), 7):
        with Connection(server) as connection:
            connection.send(GOOD[:i])
    with Connection(server) as connection:
        assert_good(connection.send(GOOD).receive())


def test_a_client_may_leave_before_the_answer(server):
    for _ in range(20):
        with Connection(server) as connection:
            connection.send(GOOD)
    with Connection(server) as connection:
        assert_good(connection.send(GOOD).receive())


def test_many_connections_at_once(server):
    connections = [Connection(server) for _ in range(200)]
    try:
        for connection in connections:
            connection.send(GOOD)
        for connection in connections:
            assert_good(connection.receive())
    finally:
        for connection in connections:
            connection.close()


def test_a_client_that_does_not_read_keeps_nobody_waiting(server):
    values = b"\0" * 2**24
    large, headers = with_blob(
        {
            "inputs": [
                {
                    "name": "INPUT0",
                    "datatype": "FP32",
                    "shape": [len(values) // 4],
                    "parameters": {"binary_data_size": len(values)},
                }
            ],
            "parameters": {"binary_data_output": True},
        },
        values,
    )
    lines = [f"{name}: {value}" for name, value in headers.items()]
    with Connection(server) as lazy, Connection(server) as other:
        lazy.send(request(INFER, large, headers=lines))
        for _ in range(10):
            assert_good(other.send(GOOD).receive())
        response = lazy.receive()
        assert response.status == 200
        assert response.body.endswith(values)


def test_a_client_that_sends_slowly_keeps_nobody_waiting(server):
    with Connection(server) as slow, Connection(server) as other:
        slow.send(GOOD[:-5])
        for _ in range(10):
            assert_good(other.send(GOOD).receive())
        assert_good(slow.send(GOOD[-5:]).receive())
