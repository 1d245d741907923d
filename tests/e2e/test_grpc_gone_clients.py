"""gRPC's clients that go away, or give up: the model that works for them hears of it."""

import pytest
from hyperframe import frame
from tritonclient.grpc import service_pb2 as pb

from harness.http2 import INFER, Connection, message
from harness.waits import Waiting

STREAM = "/inference.GRPCInferenceService/ModelStreamInfer"
CANCEL = 8


@pytest.fixture(scope="module")
def server(module_servers):
    repository = module_servers.repository()
    repository.add("waits")
    repository.add("waits", "waits_once", edit={"decoupled: true": "decoupled: false"})
    return module_servers.start(repository)


@pytest.fixture
def waiting(tmp_path):
    one = Waiting(tmp_path / "pipes")
    yield one
    one.close()


def request_of(model, waiting, **parameters):
    request = pb.ModelInferRequest(model_name=model)
    one = request.inputs.add(name="FOLDER", datatype="BYTES", shape=[1])
    one.contents.bytes_contents.append(str(waiting.folder).encode())
    for name, value in parameters.items():
        request.parameters[name].bool_param = value
    return message(request.SerializeToString())


def reset(connection, stream):
    connection.send(frame.RstStreamFrame(stream, error_code=CANCEL))


def close(connection, stream):
    del stream
    connection.close()


def wait_for_deadline(connection, stream):
    assert connection.wait(stream).status == 4


WAYS = {
    "a reset": ({}, reset),
    "a closed connection": ({}, close),
    "a deadline": ({"grpc_timeout": "2S"}, wait_for_deadline),
}


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize(
    ("path", "model"), [(INFER, "waits_once"), (STREAM, "waits_once"), (STREAM, "waits")]
)
def test_the_model_hears_that_nobody_waits(server, waiting, path, model, how):
    headers, go = WAYS[how]
    with Connection(server) as connection:
        stream = connection.open(path, **headers)
        content = request_of(model, waiting, answer=False)
        connection.data(stream, content, end=path == INFER)
        assert waiting.is_told("started")
        go(connection, stream)
        waiting.say("cancel")
        assert waiting.is_told("cancelled")


def test_a_client_that_has_only_sent_everything_is_served(server, waiting):
    with Connection(server) as connection:
        stream = connection.open(STREAM)
        connection.data(stream, request_of("waits", waiting, answer=False))
        assert waiting.is_told("started")
        waiting.say("more")
        waiting.say("end")
        ((_, data),) = connection.wait(stream).messages()
        answer = pb.ModelStreamInferResponse.FromString(data)
        assert answer.infer_response.outputs[0].name == "N"
