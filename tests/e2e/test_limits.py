"""Requests that are too large are refused as soon as that is known."""

import gzip
import json

import pytest

from harness.infer import body, tensor, with_blob
from harness.raw import Connection, request

INFER = "/v2/models/identity/infer"
MAX_INPUT = 10000
MAX_BODY = 100000

pytestmark = pytest.mark.hippocamp_only("NVIDIA's server has these limits from 2.59 on")


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start(
        "identity", f"--http-max-input-size={MAX_INPUT}", f"--http-max-body-size={MAX_BODY}"
    )


def ask(server, data):
    with Connection(server) as connection:
        response = connection.send(data).receive()
        return response.status, response.json()


def binary(n):
    """A request of N elements as binary data, and its headers."""
    given = {
        "name": "INPUT0",
        "datatype": "FP32",
        "shape": [n],
        "parameters": {"binary_data_size": 4 * n},
    }
    wanted = {"name": "OUTPUT0", "parameters": {"binary_data": True}}
    content, headers = with_blob(
        body(given, outputs=[{**wanted, "parameters": {"classification": 0}}]), bytes(4 * n)
    )
    return content, [f"{name}: {value}" for name, value in headers.items()]


TOO_LONG = "exceeds the maximum allowed input size of 10000 bytes. Use --http-max-input-size"


def test_json_that_is_announced_as_too_long(server):
    status, answer = ask(server, request(INFER, length=MAX_INPUT + 1))
    assert status == 400
    assert answer["error"].startswith(f"request JSON size of {MAX_INPUT + 1} bytes {TOO_LONG}")


def test_json_before_binary_data_that_is_announced_as_too_long(server):
    header = f"Inference-Header-Content-Length: {MAX_INPUT + 1}"
    status, answer = ask(server, request(INFER, length=2 * MAX_INPUT, headers=[header]))
    assert status == 400
    assert answer["error"].startswith(f"request JSON size of {MAX_INPUT + 1} bytes {TOO_LONG}")


def test_json_that_turns_out_too_long(server):
    """The second chunk is announced and never sent."""
    start = b"%x\r\n%s\r\n%x\r\n" % (6000, b" " * 6000, 6000)
    chunked = ["Transfer-Encoding: chunked"]
    status, answer = ask(server, request(INFER, start, length=False, headers=chunked))
    assert status == 400
    assert TOO_LONG in answer["error"]


def test_json_that_decompresses_to_too_much(server):
    content = gzip.compress(bytes(MAX_INPUT + 1))
    encoding = ["Content-Encoding: gzip"]
    status, answer = ask(server, request(INFER, content, headers=encoding))
    assert status == 400
    assert answer["error"] == (
        f"Decompressed data size exceeds the maximum allowed value of {MAX_INPUT} bytes. Use "
        "--http-max-input-size to increase the limit."
    )


def test_a_bomb_is_not_read_to_its_end(server):
    """The rest is announced and never sent."""
    content = gzip.compress(bytes(50 << 20))
    encoding = ["Content-Encoding: gzip"]
    status, answer = ask(
        server, request(INFER, content, length=len(content) + 10, headers=encoding)
    )
    assert status == 400
    assert "Decompressed data size" in answer["error"]


def test_binary_data_may_be_longer(server):
    content, headers = binary(20000)
    status, answer = ask(server, request(INFER, content, headers=headers))
    assert status == 200
    assert answer["outputs"][0]["shape"] == [20000]


@pytest.mark.parametrize("headers", [[], ["Content-Encoding: gzip"]])
def test_whole_requests_are_limited(server, headers):
    status, answer = ask(server, request(INFER, length=MAX_BODY + 1, headers=headers))
    assert status == 400
    assert answer["error"].startswith(
        f"request size of {MAX_BODY + 1} bytes exceeds the maximum allowed size of {MAX_BODY} "
    )


def test_binary_data_in_chunks_is_limited(server):
    content, headers = binary(MAX_BODY // 4 + 1)
    start = content[: content.index(b"\0")]
    chunk = b"%x\r\n%s\r\n" % (len(start), start)
    headers.append("Transfer-Encoding: chunked")
    status, _ = ask(server, request(INFER, chunk, length=False, headers=headers))
    assert status == 400


@pytest.mark.parametrize("rest", [b"", b"too much"])
def test_what_follows_binary_data_in_chunks_is_seen(server, rest):
    content, headers = binary(10)
    content += rest
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)
    headers.append("Transfer-Encoding: chunked")
    status, answer = ask(server, request(INFER, chunks, length=False, headers=headers))
    assert status == (400 if rest else 200)
    if rest:
        assert answer["error"] == "unexpected additional input data for model 'identity'"


def test_limits_do_not_change_what_fits(server):
    values = [1.5] * 100
    content = json.dumps(body(tensor("INPUT0", "FP32", [100], values))).encode()
    status, answer = ask(server, request(INFER, content))
    assert status == 200
    assert answer["outputs"][0]["data"] == values
