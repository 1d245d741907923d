"""Who may ask for what: restricted APIs, browsers, forwarded headers, HEAD."""

import json
import socket

import pytest
import requests

from harness.control import wait_until
from harness.infer import body, error_of, outputs, post, tensor

CONTENT = body(tensor("INPUT0", "INT32", [1], [1]))

RESTRICTIONS = [
    "--http-restricted-api=inference,metadata:infer-key=secret",
    "--http-restricted-api=health:Health-Key=a=b",
    "--http-restricted-api=logging,statistics,model-config,model-repository,shared-memory:k=v",
]


@pytest.fixture(scope="module")
def restricted(module_servers):
    server = module_servers.start("request_info", *RESTRICTIONS, wait=False)
    assert server.output.wait_for("Started HTTPService at", timeout_s=60), server.log()
    wait_until(lambda: accepts(server), "a connection")  # NVIDIA's server says it a little early
    return server


def accepts(server):
    try:
        socket.create_connection(("127.0.0.1", server.http_port), 60).close()
    except ConnectionRefusedError:
        return False
    return True


PATHS = {
    "v2": ("GET", "infer-key", "secret"),
    "v2/models/request_info": ("GET", "Infer-Key", "secret"),
    "v2/models/request_info/infer": ("POST", "infer-key", "secret"),
    "v2/models/request_info/generate": ("POST", "infer-key", "secret"),
    "v2/models/request_info/generate_stream": ("POST", "infer-key", "secret"),
    "v2/health/live": ("GET", "health-key", "a=b"),
    "v2/health/ready": ("GET", "health-key", "a=b"),
    "v2/models/request_info/ready": ("GET", "health-key", "a=b"),
    "v2/models/stats": ("GET", "k", "v"),
    "v2/models/request_info/stats": ("GET", "k", "v"),
    "v2/models/request_info/config": ("GET", "k", "v"),
    "v2/repository/index": ("POST", "k", "v"),
    "v2/repository/models/request_info/unload": ("POST", "k", "v"),
    "v2/systemsharedmemory/status": ("GET", "k", "v"),
    "v2/cudasharedmemory/unregister": ("POST", "k", "v"),
    "v2/logging": ("GET", "k", "v"),
}


def send(server, path, method="GET", **how):
    return requests.request(method, f"{server.url}/{path}", timeout=60, **how)


@pytest.mark.parametrize("path", PATHS)
def test_restricted_endpoints_want_a_header(restricted, path):
    method, name, value = PATHS[path]
    expected = {"infer-key": "infer-key", "health-key": "Health-Key", "k": "k"}[name.lower()]
    for headers in ({}, {name: value + "x"}, {"x" + name: value}):
        answer = send(restricted, path, method, headers=headers)
        assert answer.status_code == 403
        assert error_of(answer) == f"This API is restricted, expecting header '{expected}'"
    assert send(restricted, path, method, headers={name: value}).status_code != 403


def test_the_restriction_is_looked_at_before_the_method(restricted):
    assert send(restricted, "v2", "PUT").status_code == 403
    assert send(restricted, "v2", "PUT", headers={"infer-key": "secret"}).status_code == 405


@pytest.mark.hippocamp_only("NVIDIA's server says it otherwise")
@pytest.mark.parametrize("option", ["health", "health:key", "nothing:a=b", "health,health:a=b"])
def test_restrictions_that_say_nothing_are_refused(servers, option):
    server = servers.start("identity", f"--http-restricted-api={option}", wait=False)
    assert server.wait() != 0


@pytest.fixture(scope="module")
def forwarding(module_servers):
    return module_servers.start(
        "request_info", "--http-header-forward-pattern=^(x-|My)", "--log-verbose=0"
    )


def test_headers_are_forwarded(forwarding):
    headers = {"X-One": "1", "my-two": "two words", "Not-X-Three": "3"}
    answer = post(forwarding, "request_info", {**CONTENT, "parameters": {"a": 1}}, headers)
    info = json.loads(outputs(answer)["INFO"][0])
    assert info["parameters"] == {"a": 1, "X-One": "1", "my-two": "two words"}


def test_nothing_is_forwarded_by_generate(forwarding):
    answer = send(
        forwarding,
        "v2/models/request_info/generate",
        "POST",
        json={"INPUT0": 1},
        headers={"X-One": "1"},
    )
    assert json.loads(answer.json()["INFO"])["parameters"] == {}


ORIGIN = "https://example.org"


@pytest.fixture(scope="module")
def shared(module_servers):
    return module_servers.start("identity", f"--http-cors-origin={ORIGIN}")


@pytest.mark.hippocamp_only("NVIDIA's server knows no browsers")
def test_browsers_may_ask(shared):
    answer = send(
        shared,
        "v2/models/identity/infer",
        "OPTIONS",
        headers={"Origin": ORIGIN, "Access-Control-Request-Headers": "content-type"},
    )
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["Access-Control-Allow-Headers"] == "content-type"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    for path in ("v2", "v2/nothing"):
        answer = send(shared, path, headers={"Origin": ORIGIN})
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert answer.headers["Vary"] == "Origin"


def test_browsers_may_not_ask_by_default(forwarding):
    answer = send(forwarding, "v2", "OPTIONS")
    assert answer.status_code == 405
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.hippocamp_only("NVIDIA's server has no HEAD")
def test_head_is_get_without_the_body(forwarding):
    for path in ("v2", "v2/health/live", "v2/models/request_info/config"):
        full, head = (send(forwarding, path, method) for method in ("GET", "HEAD"))
        assert head.status_code == 200
        assert head.content == b""
        assert head.headers["Content-Length"] == str(len(full.content))
    assert send(forwarding, "v2/models/request_info/infer", "HEAD").status_code == 405
