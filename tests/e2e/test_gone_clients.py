"""Clients that go away: nobody works for them any more."""

import json

import pytest

from harness.infer import body, outputs, post, tensor
from harness.raw import Connection, request
from harness.waits import Waiting


@pytest.fixture
def server(servers):
    return servers.start("waits", "--http-thread-count=1")


class Request(Waiting):
    """A request for the model `waits`."""

    def __init__(self, server, folder, how, **parameters):
        super().__init__(folder)
        self.connection = Connection(server)
        if how == "infer":
            content = body(tensor("FOLDER", "BYTES", [1], [str(folder)]), parameters=parameters)
        else:
            content = {"FOLDER": str(folder), **parameters}
        path = f"/v2/models/waits/{how}"
        self.connection.send(request(path, json.dumps(content).encode()))

    def close(self):
        self.connection.close()
        super().close()


@pytest.fixture
def send(server, tmp_path):
    sent = []

    def send_one(how, **parameters):
        sent.append(Request(server, tmp_path / str(len(sent)), how, **parameters))
        return sent[-1]

    yield send_one
    for one in sent:
        one.close()


HOW = [
    pytest.param("infer", marks=pytest.mark.hippocamp_only("the model is decoupled")),
    "generate",
    "generate_stream",
]


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(False, marks=pytest.mark.hippocamp_only("NVIDIA's notices when it writes")),
        True,
    ],
)
def test_the_model_hears_of_a_closed_connection(send, how, answer):
    one = send(how, answer=answer)
    assert one.is_told("started")
    one.connection.close()
    one.say("cancel")
    assert one.is_told("cancelled")


@pytest.mark.hippocamp_only("NVIDIA's server takes this for a closed connection")
@pytest.mark.parametrize("how", ["infer", "generate", "generate_stream"])
def test_a_client_that_only_stops_sending_is_served(send, how):
    one = send(how, answer=False)
    assert one.is_told("started")
    one.connection.end_sending()
    one.say("more")
    one.say("end")
    response = one.connection.receive(with_body=False)
    if response.status == 100:
        response = one.connection.receive(with_body=False)
    assert response.status == 200


def wait_for_the_loops(server):
    """The only loop has seen everything that arrived before, and what came of that."""
    for _ in range(2):
        with Connection(server) as connection:
            assert connection.send(request("/v2/health/live", method="GET")).receive().status == 200


@pytest.mark.hippocamp_only("the model is decoupled, and NVIDIA's server has more loops")
@pytest.mark.parametrize("place", [1, 2])
def test_a_request_that_waits_is_not_run(send, server, place):
    """Whether it is the next, which the model's process has already, or queued behind that."""
    first = send("generate_stream")
    assert first.is_told("started")
    waiting = []
    for _ in range(2):
        waiting.append(send("generate_stream", hold=False))
        wait_for_the_loops(server)
    waiting.pop(place - 1).connection.close()
    wait_for_the_loops(server)
    first.say("end")
    content = body(tensor("FOLDER", "BYTES", [1], ["/"]), parameters={"hold": False})
    assert outputs(post(server, "waits", content))["N"] == [3]
    assert waiting[0].connection.receive(with_body=False).status == 200
