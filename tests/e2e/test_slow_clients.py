"""Decoupled models whose clients do not read: the model waits, memory stays bounded, and nothing is
lost when they read again."""

import json
import socket
import time

import pytest
import requests
from tritonclient.grpc import service_pb2 as pb

from harness import http2
from harness.control import wait_until

pytestmark = pytest.mark.hippocamp_only("NVIDIA's server keeps in memory what is not taken")

STREAM = "/inference.GRPCInferenceService/ModelStreamInfer"
SIZE = 256 << 10
N = 400

# What lies between model and client beside the server's own megabyte: buffers of the kernel.
MOST = 150


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start("floods")


class HttpClient:
    """Asks for a stream of events and reads when it is told to."""

    def __init__(self, server, n):
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self._socket.settimeout(60)
        self._socket.connect(("127.0.0.1", server.http_port))
        text = json.dumps({"N": [n]})
        head = "POST /v2/models/floods/generate_stream HTTP/1.0\r\nHost: a\r\n"
        self._socket.sendall(f"{head}Content-Length: {len(text)}\r\n\r\n{text}".encode())

    def wait_for_first(self):
        self._socket.recv(1, socket.MSG_PEEK)

    def numbers(self):
        """The numbers of all texts."""
        with self._socket.makefile("rb") as file:
            events = [line[len("data: ") :] for line in file if line.startswith(b"data: ")]
        return [int(json.loads(event)["TEXT"].split()[0]) for event in events]

    def close(self):
        self._socket.close()


class GrpcClient:
    """The same, of a stream of inferences."""

    def __init__(self, server, n):
        self._connection = http2.Connection(server, receive_buffer=65536)
        request = pb.ModelInferRequest(model_name="floods")
        tensor = request.inputs.add(name="N", datatype="INT32", shape=[1])
        tensor.contents.int_contents.append(n)
        self._stream = self._connection.open(STREAM)
        self._connection.data(self._stream, http2.message(request.SerializeToString()))

    def wait_for_first(self):
        answer = self._connection.answers[self._stream]
        self._connection.wait_until(lambda: answer.body)

    def numbers(self):
        answer = self._connection.wait(self._stream)
        assert answer.status == 0
        found = []
        for _, message in answer.messages():
            response = pb.ModelStreamInferResponse.FromString(message).infer_response
            found.append(int(response.raw_output_contents[0][4:].split()[0]))
        return found

    def close(self):
        self._connection.close()


CLIENTS = {"HTTP": HttpClient, "gRPC": GrpcClient}


def ask(server, timeout_s=60):
    """How many texts the model has sent in its life."""
    url = f"{server.url}/v2/models/floods/generate"
    return requests.post(url, json={"N": [0]}, timeout=timeout_s).json()["SENT"]


def wait_for_pause(server):
    """Waits until the model sends no more; returns how many it has sent."""
    state = {"n": -1, "since": time.monotonic()}

    def is_paused():
        n = ask(server)
        if n != state["n"]:
            state.update(n=n, since=time.monotonic())
        return time.monotonic() - state["since"] > 0.5

    wait_until(is_paused, "a pause")
    return state["n"]


@pytest.mark.parametrize("protocol", CLIENTS)
def test_a_model_waits_for_its_client(server, protocol):
    """One that sends from a thread; its instance serves others meanwhile."""
    before = ask(server)
    client = CLIENTS[protocol](server, N)
    assert 0 < wait_for_pause(server) - before < MOST
    assert client.numbers() == list(range(N))
    client.close()


@pytest.mark.parametrize("protocol", CLIENTS)
def test_execute_waits_for_its_client(server, protocol):
    client = CLIENTS[protocol](server, -N)
    assert client.numbers() == list(range(N))
    client.close()


@pytest.mark.parametrize("protocol", CLIENTS)
def test_a_client_that_goes_sets_the_model_free(server, protocol):
    before = ask(server)
    client = CLIENTS[protocol](server, N)
    wait_until(lambda: ask(server) > before, "the first text")
    client.close()
    wait_until(lambda: ask(server) - before == N, "the rest to be sent to nobody")


@pytest.mark.parametrize("protocol", CLIENTS)
def test_a_client_that_goes_sets_execute_free(server, protocol):
    client = CLIENTS[protocol](server, -N)
    client.wait_for_first()
    client.close()
    ask(server)


@pytest.mark.long
@pytest.mark.parametrize("protocol", CLIENTS)
def test_no_client_holds_up_an_instance_for_long(server, protocol):
    client = CLIENTS[protocol](server, -N)
    client.wait_for_first()
    start = time.monotonic()
    ask(server)
    assert 20 < time.monotonic() - start < 50
    client.close()
