"""Every public method of NVIDIA's HTTP clients, the one that waits and the one that does not."""

import asyncio
import base64
import inspect
import uuid

import numpy as np
import pytest
import requests
import tritonclient.http as triton
import tritonclient.http.aio as triton_aio
from tritonclient.http.auth import BasicAuth
from tritonclient.utils import InferenceServerException, shared_memory

ARRAY = np.arange(4, dtype=np.float32)


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
        self.client = self._wait(self._make(module.InferenceServerClient, server.address))

    @staticmethod
    async def _make(make, address):
        return make(address)

    def _wait(self, value):
        return self._loop.run_until_complete(value) if inspect.isawaitable(value) else value

    def __getattr__(self, name):
        self.called.setdefault(self.kind, set()).add(name)
        method = getattr(self.client, name)
        return lambda *args, **how: self._wait(method(*args, **how))

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
    assert client.get_server_metadata()["name"] == "triton"
    assert client.get_model_metadata("identity", "1")["versions"] == ["1"]
    assert client.get_model_config("identity")["name"] == "identity"


def test_inference(client):
    wanted = triton.InferRequestedOutput("OUTPUT0")
    assert wanted.name() == "OUTPUT0"
    answer = client.infer(
        "identity",
        [given()],
        model_version="1",
        outputs=[wanted],
        request_id="7",
        request_compression_algorithm="gzip",
        response_compression_algorithm="deflate",
        timeout=10**9,
        priority=1,
        query_params={"a": "b"},
        headers={"X": "y"},
    )
    assert (answer.as_numpy("OUTPUT0") == ARRAY).all()
    assert answer.get_response()["id"] == "7"
    assert answer.get_output("OUTPUT0")["datatype"] == "FP32"
    assert answer.get_output("nothing") is None


def test_what_an_input_is():
    one = given()
    assert (one.name(), one.datatype(), list(one.shape())) == ("INPUT0", "FP32", [4])


def test_parameters(client):
    one = triton.InferInput("INPUT0", [1], "INT32")
    one.set_data_from_numpy(np.array([1], dtype=np.int32), binary_data=False)
    answer = client.infer(
        "request_info",
        [one],
        sequence_id=7,
        sequence_start=True,
        sequence_end=True,
        parameters={"a": 1, "b": "c"},
    )
    text = answer.as_numpy("INFO")[0].decode()
    assert '"correlation_id": 7' in text
    assert '"flags": 3' in text


def test_bodies_of_ones_own(client, server):
    body, length = client.client.generate_request_body([given()])
    client.called[client.kind].add("generate_request_body")
    answer = requests.post(
        server.infer_url("identity"),
        data=body,
        headers={"Inference-Header-Content-Length": str(length)},
        timeout=60,
    )
    size = answer.headers.get("Inference-Header-Content-Length")
    result = client.client.parse_response_body(
        answer.content, header_length=int(size) if size else None
    )
    client.called[client.kind].add("parse_response_body")
    assert (result.as_numpy("OUTPUT0") == ARRAY).all()


def test_an_answer_to_wait_for_later(client):
    if client.kind == "sync":
        answer = client.async_infer("identity", [given()]).get_result()
        assert (answer.as_numpy("OUTPUT0") == ARRAY).all()


def test_the_repository(client):
    index = client.get_model_repository_index()
    assert {model["name"] for model in index} == {"identity", "request_info"}
    client.unload_model("request_info")
    assert not client.is_model_ready("request_info")
    client.load_model("request_info")
    assert client.is_model_ready("request_info")
    with pytest.raises(InferenceServerException, match="failed to load 'nobody'"):
        client.load_model("nobody")


def test_statistics(client):
    (found,) = client.get_inference_statistics("identity")["model_stats"]
    assert found["name"] == "identity"


@pytest.mark.hippocamp_only("NVIDIA's server has traces")
def test_traces(client):
    with pytest.raises(InferenceServerException, match="not supported"):
        client.get_trace_settings()
    with pytest.raises(InferenceServerException, match="not supported"):
        client.update_trace_settings("identity", {"trace_level": ["OFF"]})


def test_log_settings(client):
    assert client.get_log_settings()["log_info"] is True
    assert client.update_log_settings({"log_verbose_level": 1})["log_verbose_level"] == 1
    assert client.update_log_settings({"log_verbose_level": 0})["log_verbose_level"] == 0


def test_shared_memory(client):
    key = f"/hippocamp-{uuid.uuid4().hex}"
    memory = shared_memory.create_shared_memory_region("memory", key, 64)
    try:
        shared_memory.set_shared_memory_region(memory, [ARRAY])
        client.register_system_shared_memory("a", key, 64)
        assert client.get_system_shared_memory_status("a")[0]["byte_size"] == 64
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
        assert client.get_system_shared_memory_status() == []
    finally:
        shared_memory.destroy_shared_memory_region(memory)


def test_cuda_memory(client):
    assert client.get_cuda_shared_memory_status() == []
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
