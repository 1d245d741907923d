"""gRPC over TLS, restricted protocols, forwarded metadata and shared memory."""

import contextlib
import json
import socket
import ssl
import uuid

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException, shared_memory

from harness.certificates import Authority

SIZE = 4096


@contextlib.contextmanager
def client_of(server, **how):
    with triton.InferenceServerClient(f"localhost:{server.grpc_port}", **how) as client:
        yield client


def inputs_of(*arrays):
    given = []
    for i, array in enumerate(arrays):
        given.append(triton.InferInput(f"INPUT{i}", array.shape, "FP32"))
        given[-1].set_data_from_numpy(array)
    return given


# ---- TLS ----


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates"))


def tls_options(authority):
    cert, key = authority.sign("server")
    return [f"--grpc-server-cert={cert}", f"--grpc-server-key={key}"]


def check_infer(client):
    array = np.arange(1 << 20, dtype=np.float32)
    assert (client.infer("identity", inputs_of(array)).as_numpy("OUTPUT0") == array).all()


def test_tls(servers, authority):
    server = servers.start("identity", "--grpc-use-ssl=true", *tls_options(authority))
    with client_of(server, ssl=True, root_certificates=str(authority.cert)) as client:
        check_infer(client)
    with client_of(server) as client, pytest.raises(InferenceServerException):
        client.is_server_live(client_timeout=5)


def protocol_chosen(port, authority, *offered):
    """What the server chooses of the protocols that a TLS client offers."""
    context = ssl.create_default_context(cafile=authority.cert)
    context.set_alpn_protocols(list(offered))
    with (
        socket.create_connection(("127.0.0.1", port), 60) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        return connection.selected_alpn_protocol()


def test_the_protocol_is_agreed_on(servers, authority):
    server = servers.start("identity", "--grpc-use-ssl=true", *tls_options(authority))
    assert protocol_chosen(server.grpc_port, authority, "h2") == "h2"
    assert protocol_chosen(server.grpc_port, authority, "http/1.1", "h2") == "h2"


def test_mutual_tls(servers, authority):
    server = servers.start(
        "identity",
        "--grpc-use-ssl-mutual=true",
        f"--grpc-root-cert={authority.cert}",
        *tls_options(authority),
    )
    cert, key = authority.sign("client")
    how = {"ssl": True, "root_certificates": str(authority.cert)}
    with client_of(server, **how, private_key=str(key), certificate_chain=str(cert)) as client:
        check_infer(client)
    with client_of(server, **how) as client, pytest.raises(InferenceServerException):
        client.is_server_live(client_timeout=5)


# ---- Restrictions ----


def test_restricted_protocols(servers):
    server = servers.start(
        "identity",
        "--grpc-restricted-protocol=inference,model-config:key=secret",
        "--grpc-restricted-protocol=health:other=word",
    )
    key = "triton-grpc-protocol-key"
    given = inputs_of(np.ones(2, dtype=np.float32))
    with client_of(server) as client:
        for headers in (None, {key: "wrong"}, {"key": "secret"}):
            with pytest.raises(InferenceServerException) as caught:
                client.infer("identity", given, headers=headers)
            assert caught.value.status() == "StatusCode.UNAVAILABLE"
            assert caught.value.message() == (
                f"This protocol is restricted, expecting header '{key}'"
            )
        client.infer("identity", given, headers={key: "secret"})
        client.get_model_config("identity", headers={key: "secret"})
        client.get_model_metadata("identity")
        with pytest.raises(InferenceServerException):
            client.is_server_live(headers={key: "secret"})
        assert client.is_server_live(headers={"triton-grpc-protocol-other": "word"})


# ---- Metadata ----


def test_metadata_is_forwarded(servers):
    server = servers.start("request_info", "--grpc-header-forward-pattern=my-.*|x")
    given = triton.InferInput("INPUT0", [1], "INT32")
    given.set_data_from_numpy(np.array([1], dtype=np.int32))
    with client_of(server) as client:
        metadata = client.get_model_metadata("request_info")
        given = triton.InferInput(metadata.inputs[0].name, [1], metadata.inputs[0].datatype)
        dtype = object if metadata.inputs[0].datatype == "BYTES" else np.int32
        given.set_data_from_numpy(np.array([b"1" if dtype is object else 1], dtype=dtype))
        answer = client.infer(
            "request_info",
            [given],
            headers={"my-first": "1", "my-second": "two", "other": "3"},
            parameters={"own": "4"},
        )
    info = json.loads(answer.as_numpy("INFO")[0])
    assert info["parameters"] == {"my-first": "1", "my-second": "two", "own": "4"}


# ---- Shared memory and classes ----


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start(["add_sub", "identity"])


@pytest.fixture
def client(server):
    with client_of(server) as client:
        yield client
        client.unregister_system_shared_memory()


@pytest.fixture
def region(client):
    """Shared memory that is registered as `a`, and its key."""
    key = f"/hippocamp-{uuid.uuid4().hex}"
    handle = shared_memory.create_shared_memory_region("memory", key, SIZE)
    client.register_system_shared_memory("a", key, SIZE)
    yield handle, key
    shared_memory.destroy_shared_memory_region(handle)


def shared_input(name, size, offset=0, region="a"):
    given = triton.InferInput(name, [4], "FP32")
    given.set_shared_memory(region, size, offset)
    return given


def test_inputs_and_outputs_in_shared_memory(client, region):
    handle, key = region
    a, b = np.arange(4, dtype=np.float32), np.full(4, 2, dtype=np.float32)
    shared_memory.set_shared_memory_region(handle, [a, b])
    sums = triton.InferRequestedOutput("OUTPUT0")
    sums.set_shared_memory("a", 16, 64)
    answer = client.infer(
        "add_sub",
        [shared_input("INPUT0", 16), shared_input("INPUT1", 16, 16)],
        outputs=[sums, triton.InferRequestedOutput("OUTPUT1")],
    )
    assert (answer.as_numpy("OUTPUT1") == a - b).all()
    assert answer.get_response().raw_output_contents[0] == b""
    assert (shared_memory.get_contents_as_numpy(handle, np.float32, [4], 64) == a + b).all()
    status = client.get_system_shared_memory_status(as_json=True)["regions"]
    assert status == {"a": {"name": "a", "key": key, "byte_size": str(SIZE)}}


def test_raw_contents_are_for_what_is_not_in_shared_memory(client, region):
    b = np.full(4, 2, dtype=np.float32)
    shared_memory.set_shared_memory_region(region[0], [np.zeros(4, dtype=np.float32)])
    (raw,) = inputs_of(b)
    raw._input.name = "INPUT1"
    answer = client.infer("add_sub", [shared_input("INPUT0", 16), raw])
    assert (answer.as_numpy("OUTPUT0") == b).all()


@pytest.mark.parametrize(
    ("region_name", "size", "offset", "code"),
    [("nobody", 16, 0, "NOT_FOUND"), ("a", SIZE + 1, 0, "INVALID_ARGUMENT")],
)
def test_regions_that_are_not_there(client, region, region_name, size, offset, code):
    with pytest.raises(InferenceServerException) as caught:
        client.infer("identity", [shared_input("INPUT0", size, offset, region_name)])
    assert caught.value.status() == f"StatusCode.{code}"


def test_registering(client, region):
    key = region[1]
    for name, key_of, size, code, text in [
        ("a", key, SIZE, "ALREADY_EXISTS", "shared memory region 'a' already in manager"),
        ("b", "/nobody", 4, "INTERNAL", "Unable to open shared memory region: '/nobody'"),
    ]:
        with pytest.raises(InferenceServerException) as caught:
            client.register_system_shared_memory(name, key_of, size)
        assert (caught.value.status(), caught.value.message()) == (f"StatusCode.{code}", text)
    with pytest.raises(InferenceServerException, match="Unable to find system shared memory"):
        client.get_system_shared_memory_status("b")
    client.unregister_system_shared_memory("b")
    client.unregister_system_shared_memory("a")
    assert client.get_system_shared_memory_status(as_json=True) == {}


def test_cuda_shared_memory(client):
    assert client.get_cuda_shared_memory_status(as_json=True) == {}
    with pytest.raises(InferenceServerException) as caught:
        client.register_cuda_shared_memory("c", b"AAAA", 0, 4)
    assert caught.value.status() == "StatusCode.INVALID_ARGUMENT"
    client.unregister_cuda_shared_memory("c")
    client.unregister_cuda_shared_memory()


# ---- Stopping ----


@pytest.mark.hippocamp_only("NVIDIA's server cuts its connections")
def test_an_idle_client_does_not_keep_the_server_from_stopping(servers):
    server = servers.start("identity")
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        channel.unary_unary("/inference.GRPCInferenceService/ServerLive")(b"", timeout=60)
        server.process.terminate()
        assert server.process.wait(60) == 0
