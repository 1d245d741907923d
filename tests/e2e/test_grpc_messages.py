"""Calls as frames: compression, statuses, and messages that are none."""

import gzip
import zlib

import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.grpc import service_pb2 as pb

from harness.http2 import INFER, Connection, message

N = 8192
LEVELS = {"low": "gzip", "medium": "deflate", "high": "deflate"}
UNPACK = {"gzip": gzip.decompress, "deflate": zlib.decompress}
INTERNAL, UNIMPLEMENTED, RESOURCE_EXHAUSTED, NOT_FOUND = 13, 12, 8, 5


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start("identity")


@pytest.fixture
def connection(server):
    with Connection(server) as connection:
        yield connection


def request_of(array, model="identity"):
    request = pb.ModelInferRequest(model_name=model)
    request.inputs.add(name="INPUT0", datatype="FP32", shape=array.shape)
    request.raw_input_contents.append(array.tobytes())
    return request.SerializeToString()


REQUEST = request_of(np.ones(4, dtype=np.float32))


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_compressed_requests(server, algorithm):
    array = np.tile(np.arange(8, dtype=np.float32), N)
    given = triton.InferInput("INPUT0", array.shape, "FP32")
    given.set_data_from_numpy(array)
    with triton.InferenceServerClient(f"127.0.0.1:{server.grpc_port}") as client:
        answer = client.infer("identity", [given], compression_algorithm=algorithm)
    assert (answer.as_numpy("OUTPUT0") == array).all()


@pytest.mark.parametrize("level", LEVELS)
def test_compressed_responses(servers, level):
    server = servers.start("identity", f"--grpc-infer-response-compression-level={level}")
    array = np.zeros(N, dtype=np.float32)
    with Connection(server) as connection:
        answer = connection.call(request_of(array), grpc_accept_encoding="identity,deflate, gzip")
        ((compressed, data),) = answer.messages()
        assert compressed and answer.headers["grpc-encoding"] == LEVELS[level]
        response = pb.ModelInferResponse.FromString(UNPACK[LEVELS[level]](data))
        assert response.raw_output_contents[0] == array.tobytes()
        plain = connection.call(request_of(array), grpc_accept_encoding="identity")
        assert not plain.messages()[0][0]
        assert "grpc-encoding" not in plain.headers


def test_a_status_comes_without_a_body(connection):
    answer = connection.call(request_of(np.ones(1, dtype=np.float32), "nobody"))
    assert answer.status == NOT_FOUND
    assert answer.message == "Request for unknown model: 'nobody' is not found"
    assert answer.trailers == {} and answer.body == b""
    assert answer.headers[":status"] == "200"
    assert answer.headers["content-type"] == "application/grpc"


BAD = {
    "an unknown coding": (dict(grpc_encoding="snappy"), message(REQUEST, True), UNIMPLEMENTED),
    "compressed without a coding": ({}, message(REQUEST, True), INTERNAL),
    "not compressed after all": (dict(grpc_encoding="gzip"), message(REQUEST, True), None),
    "an incomplete message": ({}, message(REQUEST)[:-1], INTERNAL),
    "an incomplete prefix": ({}, b"\0\0\0", INTERNAL),
    "no message": ({}, b"", INTERNAL),
    "a flag that means nothing": ({}, b"\2" + message(REQUEST)[1:], INTERNAL),
    "more than 2 GiB": ({}, b"\0\xff\xff\xff\xff", RESOURCE_EXHAUSTED),
}


@pytest.mark.hippocamp_only("gRPC's library does not tell all of these apart")
@pytest.mark.parametrize("name", BAD)
def test_bad_messages(connection, name):
    headers, body, status = BAD[name]
    stream = connection.open(**headers)
    connection.data(stream, body)
    answer = connection.wait(stream)
    assert answer.status == status if status is not None else answer.status != 0
    assert answer.message
    assert connection.call(REQUEST).status == 0


@pytest.mark.hippocamp_only("gRPC's library answers the first message")
def test_a_second_message_is_refused(connection):
    stream = connection.open()
    connection.data(stream, message(REQUEST) * 2)
    assert connection.wait(stream).status == INTERNAL


def test_messages_in_pieces(connection):
    stream = connection.open()
    connection.data(stream, message(REQUEST), size=1)
    assert connection.wait(stream).status == 0


def test_paths_that_are_no_methods(connection):
    for path in ["/", "/x", INFER + "/", INFER[:-1], "/inference.GRPCInferenceService/"]:
        assert connection.call(b"", path).status == UNIMPLEMENTED
