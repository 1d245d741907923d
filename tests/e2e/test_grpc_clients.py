"""NVIDIA's own gRPC clients, and grpcio, as programs use them."""

import asyncio
import json
import queue

import grpc
import numpy as np
import pytest
import requests
import tritonclient.grpc as triton
import tritonclient.grpc.aio as triton_aio
from google.protobuf import json_format
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc
from tritonclient.utils import InferenceServerException

from harness.gate import HeldRequest
from harness.infer import body, outputs, post, tensor

N_CONCURRENT = 64
TIMEOUT_S = 60


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start(
        ["identity", "add_sub", "linear", "gate", "versions", "strings", "misbehaves"]
    )


@pytest.fixture
def client(server):
    with triton.InferenceServerClient(f"127.0.0.1:{server.grpc_port}") as client:
        yield client


@pytest.fixture
def channel(server):
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        yield channel


def inputs_of(module, *arrays):
    given = []
    for i, array in enumerate(arrays):
        given.append(module.InferInput(f"INPUT{i}", array.shape, "FP32"))
        given[-1].set_data_from_numpy(array)
    return given


# ---- What the server and its models are ----


def test_health(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("linear")
    assert client.is_model_ready("linear", "1")
    assert not client.is_model_ready("nobody")


def test_health_by_its_own_service(channel):
    check = channel.unary_unary("/grpc.health.v1.Health/Check")
    assert check(b"", timeout=TIMEOUT_S) == b"\x08\x01"


@pytest.mark.parametrize("model", ["linear", "versions", "add_sub"])
def test_metadata_is_that_of_http(server, client, model):
    metadata = client.get_model_metadata(model, as_json=True)
    for one in metadata["inputs"] + metadata["outputs"]:
        one["shape"] = [int(extent) for extent in one["shape"]]
    assert metadata == requests.get(f"{server.url}/v2/models/{model}").json()
    assert client.get_server_metadata(as_json=True) == requests.get(f"{server.url}/v2").json()


@pytest.mark.parametrize("model", ["linear", "strings"])
def test_config_is_that_of_http(server, client, model):
    from_http = requests.get(f"{server.url}/v2/models/{model}/config").text
    config = client.get_model_config(model).config
    assert json_format.Parse(from_http, type(config)()) == config


def test_metadata_of_one_version(client):
    assert client.get_model_metadata("versions", "3").versions == ["3"]
    with pytest.raises(InferenceServerException, match=r"version 5 is not found") as caught:
        client.get_model_metadata("versions", "5")
    assert caught.value.status() == "StatusCode.NOT_FOUND"


def test_unknown_methods_are_unimplemented(channel):
    for path in ["/inference.GRPCInferenceService/Nothing", "/nobody.Service/Method", "/"]:
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(path)(b"", timeout=TIMEOUT_S)
        assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


# ---- Inference ----


def test_infer(client):
    a, b = np.arange(4, dtype=np.float32), np.full(4, 0.1, dtype=np.float32)
    answer = client.infer("add_sub", inputs_of(triton, a, b), request_id="7")
    assert answer.get_response().id == "7"
    assert (answer.as_numpy("OUTPUT0") == a + b).all()
    assert (answer.as_numpy("OUTPUT1") == a - b).all()


@pytest.mark.parametrize("n_bytes", [0, 4, 4096, 65536, 2**20, 2**24, 2**27])
def test_tensors_of_every_size_come_back_unchanged(client, n_bytes):
    array = np.random.default_rng(n_bytes).random(n_bytes // 4, dtype=np.float32)
    answer = client.infer("identity", inputs_of(triton, array))
    assert (answer.as_numpy("OUTPUT0") == array).all()


def test_many_large_tensors_at_once(client):
    arrays = [np.full(2**18, i, dtype=np.float32) for i in range(N_CONCURRENT)]
    answers = queue.Queue()
    for i, array in enumerate(arrays):
        client.async_infer(
            "identity",
            inputs_of(triton, array),
            lambda result, error: answers.put((result, error)),
            request_id=str(i),
        )
    for _ in arrays:
        result, error = answers.get(timeout=TIMEOUT_S)
        assert error is None
        number = int(result.get_response().id)
        assert (result.as_numpy("OUTPUT0") == arrays[number]).all()


def test_aio(server):
    async def run():
        async with triton_aio.InferenceServerClient(f"127.0.0.1:{server.grpc_port}") as client:
            assert await client.is_server_ready()
            arrays = [np.full(100, i, dtype=np.float32) for i in range(N_CONCURRENT)]
            return arrays, await asyncio.gather(
                *(client.infer("identity", inputs_of(triton_aio, array)) for array in arrays)
            )

    for array, answer in zip(*asyncio.run(run())):
        assert (answer.as_numpy("OUTPUT0") == array).all()


def test_stubs_of_grpcio(channel):
    stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
    request = pb.ModelInferRequest(model_name="identity", id="x")
    request.inputs.add(name="INPUT0", datatype="FP32", shape=[2]).contents.fp32_contents.extend(
        [1, 2]
    )
    answer = stub.ModelInfer(request, timeout=TIMEOUT_S)
    assert np.frombuffer(answer.raw_output_contents[0], np.float32).tolist() == [1, 2]
    assert (answer.model_name, answer.model_version, answer.id) == ("identity", "1", "x")


def test_errors_reach_the_caller_and_leave_the_connection_usable(client):
    array = np.ones(3, dtype=np.float32)
    for _ in range(3):
        with pytest.raises(
            InferenceServerException, match=r"unexpected shape for input 'INPUT[01]'"
        ) as caught:
            client.infer("add_sub", inputs_of(triton, array, array))
        assert caught.value.status() == "StatusCode.INVALID_ARGUMENT"
        assert (client.infer("identity", inputs_of(triton, array)).as_numpy("OUTPUT0") == 1).all()


def test_messages_of_statuses_may_hold_anything(client):
    name = "größer 100 %\n\x01"
    with pytest.raises(InferenceServerException) as caught:
        client.infer(name, inputs_of(triton, np.ones(1, dtype=np.float32)))
    assert caught.value.message() == f"Request for unknown model: '{name}' is not found"


# ---- Deadlines and cancellation ----


def gate_request(folder):
    request = triton.InferInput("FOLDER", [1], "BYTES")
    request.set_data_from_numpy(np.array([str(folder)], dtype=object))
    return [request]


def test_a_deadline_ends_what_is_queued(server, client, tmp_path):
    held = HeldRequest(server, tmp_path / "held")
    with pytest.raises(InferenceServerException, match="Deadline Exceeded") as caught:
        client.infer("gate", gate_request(tmp_path / "never"), client_timeout=0.2)
    assert caught.value.status() == "StatusCode.DEADLINE_EXCEEDED"
    held.release()
    assert outputs(held.wait())["DONE"] == [1]


def test_a_cancelled_call_leaves_the_queue(server, client, tmp_path):
    held = HeldRequest(server, tmp_path / "held")
    answers = queue.Queue()
    call = client.async_infer(
        "gate",
        gate_request(tmp_path / "never"),
        lambda result, error: answers.put((result, error)),
    )
    client.is_server_live()  # the call has reached the server before this
    call.cancel()
    result, error = answers.get(timeout=TIMEOUT_S)
    assert result is None and error.status() == "StatusCode.CANCELLED"
    held.release()
    assert outputs(held.wait())["DONE"] == [1]
    one = post(server, "identity", body(tensor("INPUT0", "FP32", [1], [1])))
    assert json.loads(one.text)["model_name"] == "identity"


# ---- Streams ----


def collect(answers, n):
    return [answers.get(timeout=TIMEOUT_S) for _ in range(n)]


@pytest.fixture
def stream(client):
    answers = queue.Queue()
    client.start_stream(lambda result, error: answers.put((result, error)))
    yield client, answers
    client.stop_stream()


def test_a_stream_answers_in_order(stream):
    client, answers = stream
    for i in range(N_CONCURRENT):
        model = "identity" if i % 2 == 0 else "add_sub"
        arrays = [np.full(4, i, dtype=np.float32)] * (1 + i % 2)
        client.async_stream_infer(model, inputs_of(triton, *arrays), request_id=str(i))
    for i, (result, error) in enumerate(collect(answers, N_CONCURRENT)):
        assert error is None
        response = result.get_response()
        assert response.id == str(i)
        assert response.parameters["triton_final_response"].bool_param
        assert (result.as_numpy("OUTPUT0") == i * (1 + i % 2)).all()


def test_an_error_does_not_end_a_stream(stream):
    client, answers = stream
    array = np.ones(4, dtype=np.float32)
    client.async_stream_infer("identity", inputs_of(triton, array), request_id="1")
    client.async_stream_infer("nobody", inputs_of(triton, array), request_id="2")
    client.async_stream_infer("identity", inputs_of(triton, array), request_id="3")
    first, second, third = collect(answers, 3)
    assert first[0].get_response().id == "1"
    assert second[0] is None
    assert second[1].message() == "Request for unknown model: 'nobody' is not found"
    assert third[0].get_response().id == "3"


def test_an_error_ends_a_stream_that_wants_statuses(client):
    answers = queue.Queue()
    client.start_stream(
        lambda result, error: answers.put((result, error)), headers={"triton_grpc_error": "true"}
    )
    how = triton.InferInput("HOW", [1], "BYTES")
    how.set_data_from_numpy(np.array(["error:NOT_FOUND"], dtype=object))
    client.async_stream_infer("misbehaves", [how])
    result, error = answers.get(timeout=TIMEOUT_S)
    assert result is None
    assert error.status() == "StatusCode.NOT_FOUND"
    assert error.message() == "NOT_FOUND from the model"
    client.stop_stream(cancel_requests=True)


def test_a_stream_that_is_cancelled_lets_go_of_its_requests(server, client, tmp_path):
    held = HeldRequest(server, tmp_path / "held")
    answers = queue.Queue()
    client.start_stream(lambda result, error: answers.put((result, error)))
    for i in range(8):
        client.async_stream_infer("gate", gate_request(tmp_path / f"never-{i}"))
    client.is_server_live()
    client.stop_stream(cancel_requests=True)
    held.release()
    assert outputs(held.wait())["DONE"] == [1]


def test_a_stream_over_aio(server):
    async def run():
        async with triton_aio.InferenceServerClient(f"127.0.0.1:{server.grpc_port}") as client:

            async def requests_of_stream():
                for i in range(N_CONCURRENT):
                    array = np.full(4, i, dtype=np.float32)
                    yield {
                        "model_name": "identity",
                        "inputs": inputs_of(triton_aio, array),
                        "request_id": str(i),
                    }

            return [
                (error, result) async for result, error in client.stream_infer(requests_of_stream())
            ]

    answers = asyncio.run(run())
    assert len(answers) == N_CONCURRENT
    for i, (error, result) in enumerate(answers):
        assert error is None
        assert result.get_response().id == str(i)


@pytest.mark.long
def test_a_long_stream_of_small_answers_is_no_flood(server):
    """For each answer clients open windows and measure the line, which takes more frames than the
    answer itself."""
    n, depth = 50000, 4
    request = pb.ModelInferRequest(model_name="identity")
    request.inputs.add(name="INPUT0", datatype="FP32", shape=[1])
    request.raw_input_contents.append(bytes(4))
    data = request.SerializeToString()
    sent = queue.Queue()
    for _ in range(depth):
        sent.put(data)
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        answers = channel.stream_stream("/inference.GRPCInferenceService/ModelStreamInfer")(
            iter(sent.get, None), timeout=4 * TIMEOUT_S
        )
        n_answers = 0
        for _ in answers:
            n_answers += 1
            sent.put(data if n_answers + depth <= n else None)
    assert n_answers == n
