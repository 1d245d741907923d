"""gRPC's clients that take their time to send."""

import time

import numpy as np
import pytest
from tritonclient.grpc import service_pb2 as pb

from harness.http2 import INFER, Connection, message

STREAM = "/inference.GRPCInferenceService/ModelStreamInfer"
LIVE = "/inference.GRPCInferenceService/ServerLive"
DEADLINE_EXCEEDED = 4
PATIENCE_S = 60

pytestmark = [
    pytest.mark.long,
    pytest.mark.hippocamp_only("NVIDIA's server waits for ever"),
]


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start("identity")


def request_of(number):
    request = pb.ModelInferRequest(model_name="identity", id=str(number))
    request.inputs.add(name="INPUT0", datatype="FP32", shape=[100])
    request.raw_input_contents.append(np.full(100, number, np.float32).tobytes())
    return message(request.SerializeToString())


def test_messages_that_stop_or_trickle_in_are_not_waited_for(server):
    """All at once, since they take a minute: what is to end, and what is to go on."""
    with Connection(server) as connection:
        begun_at = time.monotonic()
        stopped = {
            "nothing": connection.open(INFER),
            "nothing of a small call": connection.open(LIVE),
            "half a message": connection.open(INFER),
            "half a message in a stream": connection.open(STREAM),
            "a message in pieces": connection.open(INFER),
        }
        resting = connection.open(STREAM)
        connection.data(stopped["half a message"], request_of(1)[:100], end=False)
        connection.data(stopped["half a message in a stream"], request_of(1)[:3], end=False)
        connection.data(resting, request_of(2), end=False)
        pieces = iter(request_of(3))
        connection.socket.settimeout(1)
        while not all(connection.answers[stream].ended for stream in stopped.values()):
            try:
                connection.receive()
            except TimeoutError:
                piece = bytes([next(pieces)])
                connection.data(stopped["a message in pieces"], piece, end=False)
        took_s = time.monotonic() - begun_at
        assert PATIENCE_S - 1 < took_s < PATIENCE_S + 30
        for name, stream in stopped.items():
            answer = connection.answers[stream]
            assert answer.status == DEADLINE_EXCEEDED, name
            assert "too long to arrive" in answer.message
        connection.data(resting, request_of(4))
        found = [
            pb.ModelStreamInferResponse.FromString(data).infer_response.id
            for _, data in connection.wait(resting).messages()
        ]
        assert found == ["2", "4"]
