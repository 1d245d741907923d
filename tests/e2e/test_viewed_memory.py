"""Inputs that stay in the client's shared memory, for models whose config asks for it."""

import contextlib
import uuid

import numpy as np
import pytest
import tritonclient.grpc as over_grpc
import tritonclient.http as over_http
from tritonclient.utils import InferenceServerException, serialize_byte_tensor, shared_memory

from harness.infer import body, outputs, post, tensor
from harness.server import StartFailed

pytestmark = pytest.mark.hippocamp_only("NVIDIA's server copies them always")

N = 100_000
ARRAY = np.arange(1, N + 1, dtype=np.float32)
OFFSETS = [0, 4096, 64, 5000]
SIZE = ARRAY.nbytes + max(OFFSETS)


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start(["looks"])


@pytest.fixture(params=["http", "grpc"])
def triton(request):
    return {"http": over_http, "grpc": over_grpc}[request.param]


@pytest.fixture
def client(server, triton):
    address = server.address if triton is over_http else f"127.0.0.1:{server.grpc_port}"
    with triton.InferenceServerClient(address) as client:
        yield client
        client.unregister_system_shared_memory()


@contextlib.contextmanager
def memory(client, size=SIZE):
    """Shared memory that is registered as `a`, and its key."""
    key = f"/hippocamp-{uuid.uuid4().hex}"
    handle = shared_memory.create_shared_memory_region("memory", key, size)
    try:
        client.register_system_shared_memory("a", key, size)
        yield handle, key
    finally:
        shared_memory.destroy_shared_memory_region(handle)


def shared_input(triton, offset=0, size=ARRAY.nbytes):
    given = triton.InferInput("INPUT0", (size // 4,), "FP32")
    given.set_shared_memory("a", size, offset)
    return given


def look(client, triton, *inputs, **how):
    return client.infer("looks", [*inputs], **how)


@pytest.mark.parametrize("offset", OFFSETS)
def test_a_model_looks_at_the_clients_memory(client, triton, offset):
    with memory(client) as (handle, _):
        shared_memory.set_shared_memory_region(handle, [ARRAY], offset)
        for _ in range(3):
            answer = look(client, triton, shared_input(triton, offset))
            assert answer.as_numpy("SHARED").all()
            assert answer.as_numpy("ENDS").tolist() == [1, N]
            assert answer.as_numpy("SAME")[[0, 1, -1]].tolist() == [-1, 2, N]
        found = shared_memory.get_contents_as_numpy(handle, np.float32, [N], offset)
        assert (found == ARRAY).all(), "what the model writes is its own"


def test_data_that_is_not_aligned_is_copied(client, triton):
    with memory(client) as (handle, _):
        shared_memory.set_shared_memory_region(handle, [ARRAY], 4097)
        answer = look(client, triton, shared_input(triton, 4097))
    assert not answer.as_numpy("SHARED").any()
    assert answer.as_numpy("ENDS").tolist() == [1, N]


def test_a_registered_part(client, triton):
    key = f"/hippocamp-{uuid.uuid4().hex}"
    handle = shared_memory.create_shared_memory_region("memory", key, SIZE)
    try:
        shared_memory.set_shared_memory_region(handle, [ARRAY], 5000)
        client.register_system_shared_memory("a", key, SIZE - 1000, offset=1000)
        answer = look(client, triton, shared_input(triton, offset=4000))
    finally:
        shared_memory.destroy_shared_memory_region(handle)
    assert answer.as_numpy("SHARED").all()
    assert answer.as_numpy("ENDS").tolist() == [1, N]


def test_memory_whose_name_is_gone(client, triton):
    with memory(client) as (handle, _):
        shared_memory.set_shared_memory_region(handle, [ARRAY])
    answer = look(client, triton, shared_input(triton))
    assert answer.as_numpy("SHARED").all()
    assert answer.as_numpy("ENDS").tolist() == [1, N]


def test_outputs_in_the_same_memory(client, triton):
    """Where the input lies and where the output goes may overlap."""
    with memory(client) as (handle, _):
        shared_memory.set_shared_memory_region(handle, [ARRAY])
        wanted = triton.InferRequestedOutput("SAME")
        wanted.set_shared_memory("a", ARRAY.nbytes, 64)
        look(client, triton, shared_input(triton), outputs=[wanted])
        found = shared_memory.get_contents_as_numpy(handle, np.float32, [N], 64)
        assert found[[0, 1, -1]].tolist() == [-1, 2, N]


@pytest.mark.parametrize(("wish", "expected"), [("whole", ARRAY), ("part", ARRAY[1:-1])])
@pytest.mark.parametrize("to", [None, 8, SIZE])
def test_an_input_goes_back_as_it_came(client, triton, wish, expected, to):
    """In the answer, in the memory that it comes from, and in other memory."""
    with memory(client, 2 * SIZE) as (handle, _):
        shared_memory.set_shared_memory_region(handle, [ARRAY])
        wanted = triton.InferRequestedOutput("SAME")
        if to is not None:
            wanted.set_shared_memory("a", ARRAY.nbytes, to)
        answer = look(
            client, triton, shared_input(triton), outputs=[wanted], parameters={wish: True}
        )
        if to is None:
            found = answer.as_numpy("SAME")
        else:
            found = shared_memory.get_contents_as_numpy(handle, np.float32, expected.shape, to)
        assert (found == expected).all()


def test_an_input_goes_back_after_its_request(client, triton):
    """Other memory is then where its own was."""
    first = look_at(client, triton, ARRAY, "keep")
    second = look_at(client, triton, -ARRAY, "again")
    assert (first == ARRAY).all()
    assert (second == ARRAY).all()


def look_at(client, triton, array, wish):
    """SAME for an array in memory of its own, as the client gets it in that memory."""
    with memory(client, 2 * SIZE) as (handle, _):
        shared_memory.set_shared_memory_region(handle, [array])
        wanted = triton.InferRequestedOutput("SAME")
        wanted.set_shared_memory("a", ARRAY.nbytes, SIZE)
        look(client, triton, shared_input(triton), outputs=[wanted], parameters={wish: True})
        found = shared_memory.get_contents_as_numpy(handle, np.float32, [N], SIZE).copy()
        client.unregister_system_shared_memory()
        return found


def test_strings_are_copied(client, triton):
    texts = np.array([b"one", b"two"], dtype=object)
    with memory(client) as (handle, _):
        shared_memory.set_shared_memory_region(handle, [serialize_byte_tensor(texts)], 4096)
        shared_memory.set_shared_memory_region(handle, [ARRAY[:4]])
        given = triton.InferInput("TEXTS", (2,), "BYTES")
        given.set_shared_memory("a", 14, 4096)
        answer = look(client, triton, shared_input(triton, size=16), given)
    assert answer.as_numpy("TEXT").tolist() == [b"one"]
    assert answer.as_numpy("SHARED").all()


def test_memory_that_was_cut_before_is_an_error(client, triton):
    with memory(client) as (_, key):
        with open(f"/dev/shm{key}", "r+b") as file:
            file.truncate(8)
        with pytest.raises(InferenceServerException, match="smaller than when it was registered"):
            look(client, triton, shared_input(triton))


def test_memory_that_is_cut_ends_one_request(server, client, triton):
    """The instance dies of it, and another takes its place."""
    with memory(client) as (handle, _):
        shared_memory.set_shared_memory_region(handle, [ARRAY])
        with pytest.raises(InferenceServerException, match="looks_0"):
            look(client, triton, shared_input(triton), parameters={"cut": True})
    assert client.is_server_live()
    other = outputs(post(server, "looks", body(tensor("INPUT0", "FP32", [2], [5, 6]))))
    assert (other["ENDS"], other["SHARED"]) == ([5, 6], [False])


@pytest.mark.parametrize(("value", "shared"), [("no", False), ("yes", True)])
def test_the_config_decides(servers, triton, value, shared):
    server = servers.start(servers.repository().add("looks", edit={'"yes"': f'"{value}"'}))
    address = server.address if triton is over_http else f"127.0.0.1:{server.grpc_port}"
    with triton.InferenceServerClient(address) as client, memory(client) as (handle, _):
        shared_memory.set_shared_memory_region(handle, [ARRAY])
        answer = look(client, triton, shared_input(triton))
    assert answer.as_numpy("SHARED").all() == shared
    assert answer.as_numpy("ENDS").tolist() == [1, N]


def test_a_value_that_is_neither_is_refused(servers):
    repository = servers.repository().add("looks", edit={'"yes"': '"true"'})
    with pytest.raises(StartFailed, match="_INPUTS must be yes or no, not 'true'"):
        servers.start(repository)
