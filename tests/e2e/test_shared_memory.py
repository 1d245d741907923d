"""Inputs and outputs in shared memory of the client."""

import contextlib
import uuid

import numpy as np
import pytest
import requests
import tritonclient.http as triton
from tritonclient.utils import serialize_byte_tensor, shared_memory

from harness.infer import error_of, post

SIZE = 64 << 10


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start(["add_sub", "identity", "strings"])


@pytest.fixture
def client(server):
    with triton.InferenceServerClient(server.address) as client:
        yield client
        client.unregister_system_shared_memory()


@contextlib.contextmanager
def memory(size=SIZE):
    """Shared memory and its key."""
    key = f"/hippocamp-{uuid.uuid4().hex}"
    handle = shared_memory.create_shared_memory_region("memory", key, size)
    try:
        yield handle, key
    finally:
        shared_memory.destroy_shared_memory_region(handle)


@pytest.fixture
def region(client):
    """Shared memory that is registered as `a`."""
    with memory() as (handle, key):
        client.register_system_shared_memory("a", key, SIZE)
        yield handle


def shared_input(name, size, offset=0, region="a", shape=(4,), datatype="FP32"):
    given = triton.InferInput(name, shape, datatype)
    given.set_shared_memory(region, size, offset)
    return given


def shared_output(name, size, offset=0, region="a"):
    wanted = triton.InferRequestedOutput(name)
    wanted.set_shared_memory(region, size, offset)
    return wanted


def test_inputs_and_outputs(client, region):
    a, b = np.arange(4, dtype=np.float32), np.full(4, 0.5, dtype=np.float32)
    shared_memory.set_shared_memory_region(region, [a, b])
    answer = client.infer(
        "add_sub",
        [shared_input("INPUT0", 16), shared_input("INPUT1", 16, 16)],
        outputs=[shared_output("OUTPUT0", 16, 4096), shared_output("OUTPUT1", 1000, 8192)],
    )
    assert answer.get_output("OUTPUT0") == {"name": "OUTPUT0", "datatype": "FP32", "shape": [4]}
    found = shared_memory.get_contents_as_numpy(region, np.float32, [4], 4096)
    assert (found == a + b).all()
    found = shared_memory.get_contents_as_numpy(region, np.float32, [4], 8192)
    assert (found == a - b).all()


def test_inputs_are_taken_before_the_answer(client, region):
    """What the client writes afterwards is not seen by what it had sent before."""
    answers = []
    for i in range(20):
        given = np.full(4, i, dtype=np.float32)
        shared_memory.set_shared_memory_region(region, [given])
        answers.append(client.infer("identity", [shared_input("INPUT0", 16)]))
    for i, answer in enumerate(answers):
        assert (answer.as_numpy("OUTPUT0") == i).all()


def test_one_side_may_be_shared(client, region):
    a = np.arange(4, dtype=np.float32)
    shared_memory.set_shared_memory_region(region, [a])
    answer = client.infer("identity", [shared_input("INPUT0", 16)])
    assert (answer.as_numpy("OUTPUT0") == a).all()
    given = triton.InferInput("INPUT0", (4,), "FP32").set_data_from_numpy(a + 1)
    client.infer("identity", [given], outputs=[shared_output("OUTPUT0", 16)])
    assert (shared_memory.get_contents_as_numpy(region, np.float32, [4]) == a + 1).all()


def test_strings(client, region):
    texts = np.array([b"one", "zwölf".encode(), b""], dtype=object)
    size = sum(4 + len(text) for text in texts)
    shared_memory.set_shared_memory_region(region, [serialize_byte_tensor(texts)])
    answer = client.infer(
        "strings",
        [shared_input("INPUT0", size, shape=(3,), datatype="BYTES")],
        outputs=[triton.InferRequestedOutput("OBJECT")],
    )
    assert (answer.as_numpy("OBJECT") == texts).all()


def test_status(client, region):
    (found,) = client.get_system_shared_memory_status()
    assert found["name"] == "a"
    assert (found["offset"], found["byte_size"]) == (0, SIZE)
    assert client.get_system_shared_memory_status("a") == [found]
    client.unregister_system_shared_memory("a")
    assert client.get_system_shared_memory_status() == []
    assert client.get_cuda_shared_memory_status() == []


def send(server, path, content=None):
    url = f"http://{server.address}/v2/{path}"
    return requests.post(url, json=content, timeout=60)


def test_regions_that_cannot_be(server, client, region):
    path = "systemsharedmemory/region/b/register"
    answers = [
        (path, {"byte_size": 64}, 400, "has no 'key' field"),
        (path, {"key": "/x"}, 400, "has no 'byte_size' field"),
        (path, {"key": "/hippocamp-nobody", "byte_size": 64}, 500, "Unable to open shared memory"),
        (path, {"key": 1, "byte_size": 64}, 500, "non-string as string"),
        ("systemsharedmemory/register", {"key": "/x"}, 400, "'region name' is necessary"),
        ("cudasharedmemory/region/b/register", {"byte_size": 1}, 400, "has no 'raw_handle' field"),
    ]
    for where, content, status, message in answers:
        answer = send(server, where, content)
        assert answer.status_code == status, content
        assert message in error_of(answer)
    (found,) = client.get_system_shared_memory_status()
    again = send(server, "systemsharedmemory/region/a/register", found)
    assert error_of(again) == "shared memory region 'a' already in manager"


def test_a_region_of_more_than_there_is(server):
    with memory(4096) as (_, key):
        content = {"key": key, "byte_size": 4097}
        answer = send(server, "systemsharedmemory/region/b/register", content)
    assert answer.status_code == 400
    assert error_of(answer) == "failed to register shared memory region 'b': invalid args"


def infer_in(server, inputs=None, outputs=None):
    request = {
        "inputs": [
            {
                "name": "INPUT0",
                "datatype": "FP32",
                "shape": [4],
                **({"parameters": inputs} if inputs else {"data": [1, 2, 3, 4]}),
            }
        ]
    }
    if outputs:
        request["outputs"] = [{"name": "OUTPUT0", "parameters": outputs}]
    return post(server, "identity", request)


def place(size, offset=0, region="a"):
    return {
        "shared_memory_region": region,
        "shared_memory_byte_size": size,
        "shared_memory_offset": offset,
    }


@pytest.mark.parametrize("side", ["inputs", "outputs"])
def test_places_that_cannot_be(server, region, side):
    answers = [
        (place(16, region="b"), 404, "Unable to find shared memory region: 'b'"),
        (place(0), 400, "Invalid offset + byte size for shared memory region: 'a'"),
        (place(16, 2**64 - 8), 400, "Invalid offset for shared memory region: 'a'"),
        (place(16, SIZE - 8), 400, "Invalid offset + byte size for shared memory region: 'a'"),
    ]
    for parameters, status, message in answers:
        answer = infer_in(server, **{side: parameters})
        assert answer.status_code == status, parameters
        assert error_of(answer) == message


def test_an_output_that_does_not_fit(server, region):
    answer = infer_in(server, outputs=place(12))
    assert answer.status_code == 500
    assert error_of(answer) == (
        "shared memory size specified with the request for output 'OUTPUT0' (12 bytes) should be "
        "at least 16 bytes to hold the results"
    )


@pytest.mark.hippocamp_only("NVIDIA's server dies of it")
def test_memory_that_is_cut_ends_nobody(server, client):
    with memory() as (_, key):
        client.register_system_shared_memory("a", key, SIZE)
        with open(f"/dev/shm{key}", "r+b") as file:
            file.truncate(8)
        for side in ("inputs", "outputs"):
            answer = infer_in(server, **{side: place(16)})
            assert answer.status_code == 500
            assert "smaller than when it was registered" in error_of(answer)
    assert client.is_server_live()


@pytest.mark.hippocamp_only("NVIDIA's server registers a key once")
def test_two_regions_of_one_memory(client):
    with memory() as (handle, key):
        client.register_system_shared_memory("a", key, 16)
        client.register_system_shared_memory("b", key, 16, offset=16)
        given = np.arange(4, dtype=np.float32)
        shared_memory.set_shared_memory_region(handle, [given])
        client.infer(
            "identity",
            [shared_input("INPUT0", 16)],
            outputs=[shared_output("OUTPUT0", 16, region="b")],
        )
        found = shared_memory.get_contents_as_numpy(handle, np.float32, [4], 16)
        assert (found == given).all()
