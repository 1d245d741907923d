"""Repository, statistics, log settings, health and reflection over gRPC."""

import json
import queue
import shutil
import subprocess
import threading

import grpc
import numpy as np
import pytest
import requests
import tritonclient.grpc as triton
from google.protobuf import descriptor_pool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from tritonclient.grpc import service_pb2 as pb
from tritonclient.utils import InferenceServerException

TIMEOUT_S = 60


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start(
        ["identity", "add_sub"], "--model-control-mode=explicit", "--load-model=identity"
    )


@pytest.fixture
def client(server):
    with triton.InferenceServerClient(f"127.0.0.1:{server.grpc_port}") as client:
        yield client


@pytest.fixture
def channel(server):
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        yield channel


def infer(client, model="identity"):
    array = np.ones(1, dtype=np.float32)
    given = triton.InferInput("INPUT0", array.shape, "FP32")
    given.set_data_from_numpy(array)
    return client.infer(model, [given])


def index(client):
    return {model.name: model.state for model in client.get_model_repository_index().models}


# ---- Repository ----


def test_models_are_loaded_and_unloaded(client):
    assert index(client)["identity"] == "READY"
    client.load_model("add_sub")
    assert client.is_model_ready("add_sub") and index(client)["add_sub"] == "READY"
    client.unload_model("add_sub")
    with pytest.raises(InferenceServerException, match="add_sub"):
        infer(client, "add_sub")


def test_a_config_and_files_of_the_client_take_the_place_of_the_repository(server, client):
    config = {
        "backend": "python",
        "input": [{"name": "INPUT0", "data_type": "TYPE_FP32", "dims": [-1]}],
        "output": [{"name": "OUTPUT0", "data_type": "TYPE_FP32", "dims": [-1]}],
    }
    model = server.repository.path / "identity" / "1" / "model.py"
    client.load_model(
        "given", config=json.dumps(config), files={"file:1/model.py": model.read_bytes()}
    )
    assert infer(client, "given").as_numpy("OUTPUT0") == 1
    client.unload_model("given")


@pytest.mark.parametrize(
    ("parameters", "status", "text"),
    [
        ({"config": 1}, "INVALID_ARGUMENT", "load parameter 'config', expected string_param."),
        ({"config": "{"}, "INTERNAL", "failed to load 'identity', failed to poll from model"),
        ({"other": "x"}, "INVALID_ARGUMENT", "unrecognized load parameter 'other'."),
        ({"file:1/x": "x"}, "INVALID_ARGUMENT", "'file:1/x', expected bytes_param."),
    ],
)
def test_bad_load_parameters(channel, parameters, status, text):
    request = pb.RepositoryModelLoadRequest(model_name="identity")
    for name, value in parameters.items():
        if isinstance(value, int):
            request.parameters[name].int64_param = value
        else:
            request.parameters[name].string_param = value
    load = channel.unary_unary("/inference.GRPCInferenceService/RepositoryModelLoad")
    with pytest.raises(grpc.RpcError) as caught:
        load(request.SerializeToString(), timeout=TIMEOUT_S)
    assert caught.value.code().name == status
    assert text in caught.value.details()


def test_repositories_cannot_be_named(channel):
    for method, request in {
        "RepositoryIndex": pb.RepositoryIndexRequest(repository_name="x"),
        "RepositoryModelLoad": pb.RepositoryModelLoadRequest(repository_name="x"),
        "RepositoryModelUnload": pb.RepositoryModelUnloadRequest(repository_name="x"),
    }.items():
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(f"/inference.GRPCInferenceService/{method}")(
                request.SerializeToString(), timeout=TIMEOUT_S
            )
        assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED
        assert caught.value.details() == "'repository_name' specification is not supported"


# ---- Statistics ----


def numbers_of(value):
    """JSON with its 64-bit integers, which protocol buffers print as texts, as numbers, and without
    what is empty."""
    if isinstance(value, dict):
        return {
            name: number
            for name, item in value.items()
            if (number := numbers_of(item)) not in (0, {}, [])
        }
    if isinstance(value, list):
        return [numbers_of(item) for item in value]
    return int(value) if isinstance(value, str) and value.isdigit() else value


def test_statistics_are_those_of_http(server, client):
    infer(client)
    over_http = {}
    while not over_http or over_http["model_stats"][0]["execution_count"] == 0:
        over_http = requests.get(f"{server.url}/v2/models/identity/stats").json()
    over_grpc = client.get_inference_statistics("identity", as_json=True)
    assert numbers_of(over_grpc) == numbers_of(over_http)
    assert over_grpc["model_stats"][0]["inference_stats"]["success"]["count"] != "0"


def test_statistics_of_unknown_models(client):
    with pytest.raises(
        InferenceServerException, match="requested model 'nobody' is not available"
    ) as caught:
        client.get_inference_statistics("nobody")
    assert caught.value.status() == "StatusCode.INVALID_ARGUMENT"


# ---- The log ----


def test_log_settings(client):
    settings = client.get_log_settings(as_json=True)["settings"]
    assert settings["log_info"] == {"bool_param": True}
    assert settings["log_verbose_level"] == {"uint32_param": 0}
    assert settings["log_format"] == {"string_param": "default"}
    assert settings["log_file"] == {"string_param": ""}
    changed = client.update_log_settings(
        {"log_verbose_level": 1, "log_format": "ISO8601", "log_warning": False}, as_json=True
    )["settings"]
    assert changed["log_verbose_level"] == {"uint32_param": 1}
    assert changed["log_format"] == {"string_param": "ISO8601"}
    assert changed["log_warning"] == {"bool_param": False}
    client.update_log_settings(
        {"log_verbose_level": 0, "log_format": "default", "log_warning": True}
    )
    assert client.get_log_settings(as_json=True)["settings"] == settings


@pytest.mark.parametrize(
    ("name", "field", "value", "message"),
    [
        ("log_info", "string_param", "x", "expect boolean for 'log_info'"),
        ("log_verbose_level", "bool_param", True, "expect int32 for 'log_verbose_level'"),
        ("log_format", "bool_param", True, "expect string for 'log_format'"),
        ("log_format", "string_param", "bad", "invalid argument for log_format, got: bad"),
        (
            "log_file",
            "string_param",
            "/x",
            "log file location can not be updated through network protocol",
        ),
    ],
)
def test_bad_log_settings(channel, name, field, value, message):
    request = pb.LogSettingsRequest()
    setattr(request.settings[name], field, value)
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/inference.GRPCInferenceService/LogSettings")(
            request.SerializeToString(), timeout=TIMEOUT_S
        )
    assert caught.value.details() == message


@pytest.mark.hippocamp_only("there is no tracing")
def test_tracing_is_unimplemented(client):
    for ask in (client.get_trace_settings, client.update_trace_settings):
        with pytest.raises(InferenceServerException) as caught:
            ask()
        assert caught.value.status() == "StatusCode.UNIMPLEMENTED"


# ---- Health and reflection ----


@pytest.mark.hippocamp_only("NVIDIA's server has no Watch")
def test_watchers_are_told_when_health_changes(server, client, channel):
    statuses = queue.Queue()
    watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())

    def collect():
        try:
            for answer in watch:
                statuses.put(answer.status)
        except grpc.RpcError:
            pass

    thread = threading.Thread(target=collect)
    thread.start()
    assert statuses.get(timeout=TIMEOUT_S) == health_pb2.HealthCheckResponse.SERVING
    server.repository.write("broken/config.pbtxt", 'backend: "python"\n')
    server.repository.write("broken/1/model.py", "raise ValueError\n")
    with pytest.raises(InferenceServerException):
        client.load_model("broken")
    assert statuses.get(timeout=TIMEOUT_S) == health_pb2.HealthCheckResponse.NOT_SERVING
    model = server.repository.path / "identity" / "1" / "model.py"
    server.repository.write("broken/1/model.py", model.read_text())
    client.load_model("broken")
    assert statuses.get(timeout=TIMEOUT_S) == health_pb2.HealthCheckResponse.SERVING
    watch.cancel()
    thread.join(TIMEOUT_S)


@pytest.mark.hippocamp_only("NVIDIA's server has no reflection")
def test_reflection_describes_all_services(channel):
    database = ProtoReflectionDescriptorDatabase(channel)
    assert set(database.get_services()) == {
        "inference.GRPCInferenceService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    }
    pool = descriptor_pool.DescriptorPool(database)
    service = pool.FindServiceByName("inference.GRPCInferenceService")
    assert len(service.methods) == 20
    assert service.methods_by_name["ModelInfer"].input_type.fields_by_name["raw_input_contents"]
    assert pool.FindMessageTypeByName("inference.ModelInferRequest.InferInputTensor")
    assert pool.FindMessageTypeByName("inference.ModelConfig")
    assert pool.FindFileByName("health.proto").package == "grpc.health.v1"
    for name in ["inference.Nothing", "nobody.Service", "inference.ModelInferRequest.Nothing"]:
        with pytest.raises(KeyError):
            pool.FindMessageTypeByName(name)


@pytest.mark.hippocamp_only("NVIDIA's server has no reflection")
@pytest.mark.skipif(shutil.which("grpcurl") is None, reason="there is no grpcurl")
def test_grpcurl_needs_no_files(server):
    address = f"127.0.0.1:{server.grpc_port}"

    def grpcurl(*words):
        command = ["grpcurl", "-plaintext", "-max-time", "30", *words]
        return subprocess.run(
            command, capture_output=True, check=True, timeout=60, text=True
        ).stdout

    assert "inference.GRPCInferenceService" in grpcurl(address, "list").split()
    live = grpcurl(address, "inference.GRPCInferenceService/ServerLive")
    assert json.loads(live) == {"live": True}
