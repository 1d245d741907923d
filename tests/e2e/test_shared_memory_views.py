"""Models that look at inputs in the client's shared memory, without a copy."""

import os
import uuid

import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.http
from tritonclient.utils import InferenceServerException, shared_memory

from harness.server import StartFailed

pytestmark = pytest.mark.hippocamp_only("NVIDIA's server copies them")

SIZE = 1 << 20
OFFSET = 4096 + 12


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start(["views", "identity"])


@pytest.fixture(params=["http", "grpc"])
def protocol(request):
    return getattr(tritonclient, request.param)


@pytest.fixture
def client(server, protocol):
    port = server.grpc_port if protocol is tritonclient.grpc else server.http_port
    with protocol.InferenceServerClient(f"127.0.0.1:{port}") as client:
        yield client
        client.unregister_system_shared_memory()


@pytest.fixture
def region(client):
    """Shared memory with a tensor in it, registered as `a`; and its key."""
    key = f"/hippocamp-{uuid.uuid4().hex}"
    handle = shared_memory.create_shared_memory_region("memory", key, SIZE)
    client.register_system_shared_memory("a", key, SIZE)
    yield handle, key
    shared_memory.destroy_shared_memory_region(handle)


def look(client, protocol, n):
    given = protocol.InferInput("X", [n], "FP32")
    given.set_shared_memory("a", 4 * n, OFFSET)
    result = client.infer("views", [given])
    return result.as_numpy("SUM")[0], result.as_numpy("FILE")[0].decode()


def test_inputs_lie_in_the_client_s_memory_and_are_the_model_s_own(client, protocol, region):
    handle, key = region
    for values in (np.arange(1000, dtype=np.float32), np.ones(1000, dtype=np.float32)):
        shared_memory.set_shared_memory_region(handle, [values], offset=OFFSET)
        assert look(client, protocol, 1000) == (values.sum(), f"/dev/shm{key}")
        kept = shared_memory.get_contents_as_numpy(handle, np.float32, [1000], offset=OFFSET)
        assert np.array_equal(kept, values)


def test_memory_that_has_become_smaller_is_an_error(client, protocol, region):
    _, key = region
    os.truncate(f"/dev/shm{key}", OFFSET)
    with pytest.raises(InferenceServerException, match="smaller than when it was registered"):
        look(client, protocol, 1000)
    os.truncate(f"/dev/shm{key}", SIZE)
    assert look(client, protocol, 1000) == (0, f"/dev/shm{key}")


def test_other_inputs_are_received_as_ever(client, protocol):
    given = protocol.InferInput("X", [3], "FP32")
    given.set_data_from_numpy(np.array([1, 2, 3], dtype=np.float32))
    result = client.infer("views", [given])
    assert result.as_numpy("SUM")[0] == 6
    assert not result.as_numpy("FILE")[0].startswith(b"/dev/shm")


def test_the_config_says_yes_or_no(servers):
    repository = servers.repository().add("views", edit={'"yes"': '"maybe"'})
    with pytest.raises(StartFailed, match="must be yes or no, not 'maybe'"):
        servers.start(repository)
