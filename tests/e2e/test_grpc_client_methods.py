"""Every public method of NVIDIA's gRPC clients, the one that waits and the one that does not, and
every call of the stubs of grpcio."""

import asyncio
import base64
import inspect
import queue
import uuid

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
import tritonclient.grpc.aio as triton_aio
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc
from tritonclient.grpc.auth import BasicAuth
from tritonclient.utils import InferenceServerException, shared_memory

ARRAY = np.arange(4, dtype=np.float32)
TIMEOUT_S = 60


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start(
        ["identity", "request_info"], "--model-control-mode=explicit", "--load-model=*"
    )


class Caller:
    """A client of either kind; its methods are called and waited for, and noted in `called`."""

    called: dict = {}

    def __init__(self, kind, server):
        self.kind = kind
        self._loop = asyncio.new_event_loop()
        module = triton if kind == "sync" else triton_aio
        address = f"127.0.0.1:{server.grpc_port}"
        self.client = self.wait(self._make(module.InferenceServerClient, address))

    @staticmethod
    async def _make(make, address):
        return make(address)

    def wait(self, value):
        return self._loop.run_until_complete(value) if inspect.isawaitable(value) else value

    def __getattr__(self, name):
        self.called.setdefault(self.kind, set()).add(name)
        method = getattr(self.client, name)
        return lambda *args, **how: self.wait(method(*args, **how))

    def end(self):
        self.close()
        self._loop.close()


@pytest.fixture(scope="module", params=["sync", "aio"])
def client(request, server):
    caller = Caller(request.param, server)
    yield caller
    caller.end()


def given(array=ARRAY):
    one = triton.InferInput("INPUT0", [1], "FP32")
    one.set_shape(array.shape)
    return one.set_data_from_numpy(array)


def test_health(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("identity", "1")
    assert not client.is_model_ready("identity", "2")


def test_metadata(client):
    assert client.get_server_metadata().name == "triton"
    assert client.get_model_metadata("identity", "1").versions == ["1"]
    assert client.get_model_metadata("identity", as_json=True)["platform"] == "python"
    assert client.get_model_config("identity").config.name == "identity"


@pytest.mark.parametrize("algorithm", [None, "gzip", "deflate"])
def test_inference(client, algorithm):
    wanted = triton.InferRequestedOutput("OUTPUT0")
    assert wanted.name() == "OUTPUT0"
    answer = client.infer(
        "identity",
        [given()],
        model_version="1",
        outputs=[wanted],
        request_id="7",
        priority=1,
        timeout=10**9,
        client_timeout=TIMEOUT_S,
        headers={"x": "y"},
        compression_algorithm=algorithm,
    )
    assert (answer.as_numpy("OUTPUT0") == ARRAY).all()
    assert answer.get_response().id == "7"
    assert answer.get_response(as_json=True)["model_version"] == "1"
    assert answer.get_output("OUTPUT0").datatype == "FP32"
    assert answer.get_output("nothing") is None


def test_parameters(client):
    answer = client.infer(
        "request_info",
        [triton.InferInput("INPUT0", [1], "INT32").set_data_from_numpy(np.array([1], np.int32))],
        sequence_id=7,
        sequence_start=True,
        sequence_end=True,
        parameters={"a": 1, "b": "c", "d": True},
    )
    text = answer.as_numpy("INFO")[0].decode()
    assert '"correlation_id": 7' in text
    assert '"flags": 3' in text


def test_an_answer_to_wait_for_later(client):
    if client.kind == "sync":
        answers = queue.Queue()
        client.async_infer(
            "identity", [given()], lambda result, error: answers.put((result, error))
        )
        answer, error = answers.get(timeout=TIMEOUT_S)
        assert error is None
        assert (answer.as_numpy("OUTPUT0") == ARRAY).all()


@pytest.mark.parametrize("algorithm", [None, "gzip", "deflate"])
def test_a_stream(client, algorithm):
    if client.kind == "sync":
        answers = queue.Queue()
        client.start_stream(
            lambda result, error: answers.put((result, error)),
            stream_timeout=TIMEOUT_S,
            compression_algorithm=algorithm,
        )
        client.async_stream_infer("identity", [given()], request_id="7")
        answer, error = answers.get(timeout=TIMEOUT_S)
        client.stop_stream()
    else:
        answer, error = client.wait(one_in_a_stream(client, algorithm))
    assert error is None
    assert answer.get_response().id == "7"
    assert (answer.as_numpy("OUTPUT0") == ARRAY).all()


async def one_in_a_stream(client, algorithm):
    async def sent():
        yield {"model_name": "identity", "inputs": [given()], "request_id": "7"}

    client.called[client.kind].add("stream_infer")
    answers = client.client.stream_infer(
        sent(), stream_timeout=TIMEOUT_S, compression_algorithm=algorithm
    )
    (answer,) = [answer async for answer in answers]
    return answer


def test_the_repository(client):
    index = client.get_model_repository_index().models
    assert {model.name for model in index} == {"identity", "request_info"}
    client.unload_model("request_info", unload_dependents=True)
    assert not client.is_model_ready("request_info")
    client.load_model("request_info")
    assert client.is_model_ready("request_info")
    with pytest.raises(InferenceServerException, match="failed to load 'nobody'"):
        client.load_model("nobody")


def test_statistics(client):
    (found,) = client.get_inference_statistics("identity").model_stats
    assert found.name == "identity"


@pytest.mark.hippocamp_only("NVIDIA's server has traces")
def test_traces(client):
    with pytest.raises(InferenceServerException, match="not supported"):
        client.get_trace_settings()
    with pytest.raises(InferenceServerException, match="not supported"):
        client.update_trace_settings("identity", {"trace_level": ["OFF"]})


def test_log_settings(client):
    assert client.get_log_settings().settings["log_info"].bool_param
    for level in (1, 0):
        changed = client.update_log_settings({"log_verbose_level": level})
        assert changed.settings["log_verbose_level"].uint32_param == level


def test_shared_memory(client):
    key = f"/hippocamp-{uuid.uuid4().hex}"
    memory = shared_memory.create_shared_memory_region("memory", key, 64)
    try:
        shared_memory.set_shared_memory_region(memory, [ARRAY])
        client.register_system_shared_memory("a", key, 64)
        assert client.get_system_shared_memory_status("a").regions["a"].byte_size == 64
        one = triton.InferInput("INPUT0", [4], "FP32")
        one.set_shared_memory("a", 16)
        wanted = triton.InferRequestedOutput("OUTPUT0")
        wanted.set_shared_memory("a", 16, 32)
        client.infer("identity", [one], outputs=[wanted])
        found = shared_memory.get_contents_as_numpy(memory, np.float32, [4], 32)
        assert (found == ARRAY).all()
        wanted.unset_shared_memory()
        answer = client.infer("identity", [one], outputs=[wanted])
        assert (answer.as_numpy("OUTPUT0") == ARRAY).all()
        client.unregister_system_shared_memory("a")
        assert not client.get_system_shared_memory_status().regions
    finally:
        shared_memory.destroy_shared_memory_region(memory)


def test_cuda_memory(client):
    assert not client.get_cuda_shared_memory_status().regions
    with pytest.raises(InferenceServerException, match="register"):
        client.register_cuda_shared_memory("c", base64.b64encode(bytes(64)), 0, 64)
    client.unregister_cuda_shared_memory("c")


def test_plugins(client):
    plugin = BasicAuth("user", "password")
    client.register_plugin(plugin)
    assert client.plugin() is plugin
    assert client.is_server_live()
    client.unregister_plugin()


@pytest.mark.hippocamp_only("the test of traces is")
def test_no_method_is_left_out(client):
    """All public methods of the client are called by the tests above."""
    client.close()
    methods = {
        name
        for name, _ in inspect.getmembers(type(client.client), callable)
        if not name.startswith("_")
    }
    assert methods <= client.called[client.kind]


# ---- The stubs ----


def infer_request():
    request = pb.ModelInferRequest(model_name="identity", id="7")
    request.inputs.add(name="INPUT0", datatype="FP32", shape=[4])
    request.raw_input_contents.append(ARRAY.tobytes())
    return request


def is_right(response):
    return response.id == "7" and response.raw_output_contents[0] == ARRAY.tobytes()


CUDA = pb.CudaSharedMemoryRegisterRequest(name="c", raw_handle=bytes(64), byte_size=64)
UNKNOWN_KEY = pb.SystemSharedMemoryRegisterRequest(name="s", key="/nothing", byte_size=64)

# What to ask, and what the answer is; a status' name where it is one.
CALLS = {
    "ServerLive": (pb.ServerLiveRequest(), lambda answer: answer.live),
    "ServerReady": (pb.ServerReadyRequest(), lambda answer: answer.ready),
    "ModelReady": (pb.ModelReadyRequest(name="identity"), lambda answer: answer.ready),
    "ServerMetadata": (pb.ServerMetadataRequest(), lambda answer: answer.name == "triton"),
    "ModelMetadata": (
        pb.ModelMetadataRequest(name="identity"),
        lambda answer: answer.versions == ["1"],
    ),
    "ModelInfer": (infer_request(), is_right),
    "ModelConfig": (
        pb.ModelConfigRequest(name="identity"),
        lambda answer: answer.config.backend == "python",
    ),
    "ModelStatistics": (
        pb.ModelStatisticsRequest(name="identity"),
        lambda answer: answer.model_stats[0].name == "identity",
    ),
    "RepositoryIndex": (pb.RepositoryIndexRequest(), lambda answer: len(answer.models) == 2),
    "RepositoryModelUnload": (
        pb.RepositoryModelUnloadRequest(model_name="request_info"),
        lambda answer: True,
    ),
    "RepositoryModelLoad": (
        pb.RepositoryModelLoadRequest(model_name="request_info"),
        lambda answer: True,
    ),
    "SystemSharedMemoryStatus": (
        pb.SystemSharedMemoryStatusRequest(),
        lambda answer: not answer.regions,
    ),
    "SystemSharedMemoryRegister": (UNKNOWN_KEY, "INTERNAL"),
    "SystemSharedMemoryUnregister": (
        pb.SystemSharedMemoryUnregisterRequest(),
        lambda answer: True,
    ),
    "CudaSharedMemoryStatus": (
        pb.CudaSharedMemoryStatusRequest(),
        lambda answer: not answer.regions,
    ),
    "CudaSharedMemoryRegister": (CUDA, "INVALID_ARGUMENT"),
    "CudaSharedMemoryUnregister": (pb.CudaSharedMemoryUnregisterRequest(), lambda answer: True),
    "TraceSetting": (pb.TraceSettingRequest(), "UNIMPLEMENTED"),
    "LogSettings": (
        pb.LogSettingsRequest(),
        lambda answer: answer.settings["log_info"].bool_param,
    ),
}
ONLY = {"TraceSetting": pytest.mark.hippocamp_only("NVIDIA's server has traces")}


@pytest.fixture(scope="module")
def stub(server):
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        yield service_pb2_grpc.GRPCInferenceServiceStub(channel)


@pytest.mark.parametrize("name", [pytest.param(name, marks=ONLY.get(name, ())) for name in CALLS])
def test_stubs(stub, name):
    request, expected = CALLS[name]
    call = getattr(stub, name)
    if callable(expected):
        assert expected(call(request, timeout=TIMEOUT_S))
        return
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=TIMEOUT_S)
    assert caught.value.code().name == expected


def test_a_stub_of_a_stream(stub):
    answers = stub.ModelStreamInfer(iter([infer_request()] * 3), timeout=TIMEOUT_S)
    assert [is_right(answer.infer_response) for answer in answers] == [True] * 3


def test_no_stub_is_left_out(stub):
    assert vars(stub).keys() == {*CALLS, "ModelStreamInfer"}
