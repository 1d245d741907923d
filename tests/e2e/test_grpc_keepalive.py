"""Signs of life: pings either way, and connections that are old, as the options say."""

import pytest
from hyperframe import frame
from tritonclient.grpc import service_pb2 as pb

from harness.http2 import Connection, message
from harness.waits import Waiting

LIVE = "/inference.GRPCInferenceService/ServerLive"
STREAM = "/inference.GRPCInferenceService/ModelStreamInfer"
NO_ERROR, ENHANCE_YOUR_CALM = 0, 11
QUIET_S = 0.5

pytestmark = pytest.mark.hippocamp_only("gRPC's library rounds these times, or waits for others")


def is_quiet(connection, seconds=QUIET_S):
    """Whether nothing comes for so long."""
    connection.socket.settimeout(seconds)
    try:
        return not connection.receive()
    except TimeoutError:
        return True


def ping(connection):
    """Pings and waits for the answer, or the end of the connection."""
    n = len(connection.pings)
    connection.send(frame.PingFrame(0, b"12345678"))
    connection.wait_until(lambda: len(connection.pings) > n)


# ---- Pings of the server's ----


def test_a_client_that_is_gone_is_noticed(servers, tmp_path):
    server = servers.start("waits", "--grpc-keepalive-time=50", "--grpc-keepalive-timeout=100")
    waiting = Waiting(tmp_path / "pipes")
    request = pb.ModelInferRequest(model_name="waits")
    one = request.inputs.add(name="FOLDER", datatype="BYTES", shape=[1])
    one.contents.bytes_contents.append(str(waiting.folder).encode())
    request.parameters["answer"].bool_param = False
    with Connection(server) as connection:
        stream = connection.open(STREAM)
        connection.data(stream, message(request.SerializeToString()))
        assert waiting.is_told("started")
        waiting.say("cancel")  # and answer no ping
        assert waiting.is_told("cancelled")
    waiting.close()


def test_pings_without_data_are_few(servers):
    server = servers.start(
        "identity",
        "--grpc-keepalive-time=20",
        "--grpc-keepalive-timeout=20000",
        "--grpc-http2-max-pings-without-data=3",
    )
    with Connection(server) as connection:
        connection.open(STREAM)
        connection.wait_until(lambda: connection.n_pinged == 3)
        assert is_quiet(connection)
        assert connection.call(b"", LIVE).status == 0
        connection.wait_until(lambda: connection.n_pinged == 6)


def test_clients_without_calls_are_left_alone(servers):
    server = servers.start("identity", "--grpc-keepalive-time=20")
    with Connection(server) as connection:
        assert connection.call(b"", LIVE).status == 0
        before = connection.n_pinged
        is_quiet(connection)
        assert connection.n_pinged <= before + 1  # one may have been on its way


def test_clients_without_calls_are_pinged_if_that_is_wanted(servers):
    server = servers.start(
        "identity",
        "--grpc-keepalive-time=20",
        "--grpc-keepalive-permit-without-calls=true",
        "--grpc-http2-max-pings-without-data=0",
    )
    with Connection(server) as connection:
        connection.wait_until(lambda: connection.n_pinged == 10)
        assert connection.call(b"", LIVE).status == 0


# ---- Pings of the client's ----


def test_pings_that_come_too_often_end_the_connection(servers):
    server = servers.start("identity", "--grpc-http2-max-ping-strikes=3")
    with Connection(server) as connection:
        for _ in range(5):  # the first is no strike, and the fifth one too many
            ping(connection)
        connection.wait_for_close()
        assert connection.goaway.error_code == ENHANCE_YOUR_CALM
        assert connection.goaway.additional_data == b"too_many_pings"


@pytest.mark.parametrize(
    "options",
    [
        ["--grpc-http2-max-ping-strikes=0"],
        [
            "--grpc-http2-min-recv-ping-interval-without-data=0",
            "--grpc-keepalive-permit-without-calls=true",
        ],
    ],
)
def test_pings_are_welcome_if_that_is_wanted(servers, options):
    server = servers.start("identity", *options)
    with Connection(server) as connection:
        for _ in range(20):
            ping(connection)
        assert connection.call(b"", LIVE).status == 0


# ---- Age ----


def test_old_connections_are_let_go_of(servers):
    server = servers.start("identity", "--grpc-max-connection-age=200")
    with Connection(server) as connection:
        stream = connection.open(STREAM)
        connection.wait_until(lambda: connection.goaway is not None)
        assert connection.goaway.error_code == NO_ERROR
        connection.data(stream, b"")
        assert connection.wait(stream).status == 0
        connection.wait_for_close()


def test_calls_on_old_connections_end_after_the_grace(servers):
    server = servers.start(
        "identity", "--grpc-max-connection-age=100", "--grpc-max-connection-age-grace=100"
    )
    with Connection(server) as connection:
        connection.open(STREAM)
        connection.wait_for_close()
        assert connection.goaway.error_code == NO_ERROR
