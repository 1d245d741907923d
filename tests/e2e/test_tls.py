"""HTTP over TLS, which NVIDIA's server speaks with gRPC only; the options are named as there."""

import contextlib
import socket
import ssl

import numpy as np
import pytest
import requests
import tritonclient.http as triton

from harness.certificates import Authority
from harness.infer import body, outputs, tensor
from harness.raw import request

pytestmark = pytest.mark.hippocamp_only("NVIDIA's server has no TLS for HTTP")

CONTENT = body(tensor("INPUT0", "FP32", [2], [1, 2]))


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def options(authority):
    cert, key = authority.sign("server")
    return [f"--http-server-cert={cert}", f"--http-server-key={key}"]


def start(module_servers, *options):
    server = module_servers.start("identity", *options, wait=False)
    assert server.output.wait_for("Started HTTPService at", timeout_s=60), server.log()
    return server


@pytest.fixture(scope="module")
def server(module_servers, options):
    return start(module_servers, "--http-use-ssl=true", *options)


@pytest.fixture(scope="module")
def mutual_server(module_servers, options, authority):
    root = f"--http-root-cert={authority.cert}"
    return start(module_servers, "--http-use-ssl-mutual=true", root, *options)


def post(server, authority, **how):
    url = f"https://localhost:{server.http_port}/v2/models/identity/infer"
    return requests.post(url, json=CONTENT, verify=str(authority.cert), timeout=60, **how)


def connect(server, authority, **settings):
    context = ssl.create_default_context(cafile=authority.cert)
    for name, value in settings.items():
        setattr(context, name, value)
    plain = socket.create_connection(("127.0.0.1", server.http_port), 60)
    return context.wrap_socket(plain, server_hostname="localhost")


def test_requests_are_served(server, authority):
    assert outputs(post(server, authority)) == {"OUTPUT0": [1, 2]}


def test_the_client_of_nvidia(server, authority):
    with triton.InferenceServerClient(
        f"localhost:{server.http_port}",
        ssl=True,
        ssl_options={"ca_certs": str(authority.cert)},
        ssl_context_factory=lambda **_: ssl.create_default_context(cafile=authority.cert),
    ) as client:
        array = np.arange(4, dtype=np.float32)
        given = triton.InferInput("INPUT0", [4], "FP32").set_data_from_numpy(array)
        assert (client.infer("identity", [given]).as_numpy("OUTPUT0") == array).all()


def test_large_tensors_pass(server, authority):
    array = np.random.default_rng(1).random(4 << 20, dtype=np.float32)
    url = f"https://localhost:{server.http_port}/v2/models/identity/infer"
    answer = requests.post(
        url,
        data=array.tobytes(),
        headers={"Inference-Header-Content-Length": "0"},
        verify=str(authority.cert),
        timeout=60,
    )
    size = int(answer.headers["Inference-Header-Content-Length"])
    assert answer.content[size:] == array.tobytes()


def test_a_request_may_come_byte_by_byte(server, authority):
    with connect(server, authority) as connection:
        for byte in request("/v2/health/live", method="GET"):
            connection.send(bytes([byte]))
        assert connection.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")


def test_connections_end_properly(server, authority):
    """The client sees the end that the server has meant, not one that an attacker could make."""
    with connect(server, authority) as connection:
        connection.suppress_ragged_eofs = False
        connection.send(request("/v2/health/live", method="GET", headers=["Connection: close"]))
        answer = b""
        while piece := connection.recv(1000):
            answer += piece
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions(server, authority, version):
    with connect(server, authority, maximum_version=version, minimum_version=version) as connection:
        connection.send(request("/v2/health/live", method="GET"))
        assert connection.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")


def test_what_is_not_tls_is_refused(server, authority):
    with socket.create_connection(("127.0.0.1", server.http_port), 60) as connection:
        connection.sendall(request("/v2/health/live", method="GET"))
        with contextlib.suppress(ConnectionResetError):
            assert b"HTTP" not in connection.recv(1000)
    assert post(server, authority).status_code == 200


def test_clients_are_asked_for_a_certificate(mutual_server, authority):
    cert, key = authority.sign("client")
    answer = post(mutual_server, authority, cert=(str(cert), str(key)))
    assert outputs(answer) == {"OUTPUT0": [1, 2]}


def test_clients_without_one_are_refused(mutual_server, authority):
    with pytest.raises(requests.exceptions.ConnectionError):
        post(mutual_server, authority)


def test_clients_of_another_authority_are_refused(mutual_server, authority, tmp_path):
    cert, key = Authority(tmp_path, "other").sign("stranger")
    with pytest.raises(requests.exceptions.ConnectionError):
        post(mutual_server, authority, cert=(str(cert), str(key)))


@pytest.mark.parametrize(("name", "what"), [("cert", "server certificate"), ("key", "server key")])
def test_files_that_cannot_be_used_are_named(servers, options, tmp_path, name, what):
    path = tmp_path / "nothing.pem"
    path.write_text("nothing")
    server = servers.start(
        "identity", "--http-use-ssl=true", *options, f"--http-server-{name}={path}", wait=False
    )
    assert server.wait() == 1
    assert server.output.wait_for(f"cannot use {what} '{path}'") or f"{path}" in server.log()
