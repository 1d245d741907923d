"""How often a large output exists: counted by the memory that has ever been in use."""

import os
import re
import uuid

import numpy as np
import pytest
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import shared_memory

from harness.infer import body, post, tensor

pytestmark = pytest.mark.hippocamp_only("about memory of Hippocamp's own making")

N = 4 << 20
SIZE = 4 * N
SLACK = SIZE // 2  # half a copy


def make(server, n=N, keep=False):
    """Has the model make numbers, and looks at them."""
    wanted = [{"name": "NUMBERS", "parameters": {"binary_data": True}}]
    inputs = [tensor("SIZE", "INT32", [1], [n]), tensor("KEEP", "BOOL", [1], [keep])]
    answer = post(server, "makes", body(*inputs, outputs=wanted))
    numbers = np.frombuffer(answer.content[-4 * n :], dtype=np.float32)
    assert numbers[0] == 0 and numbers[-1] == n - 1


def arena_bytes(server, kind="responses"):
    """What of the model's memory for responses, or requests, has been touched."""
    folder = f"/proc/{server.process.pid}/fd"
    (path,) = [
        f"{folder}/{number}"
        for number in os.listdir(folder)
        if f"hippocamp-{kind}" in os.readlink(f"{folder}/{number}")
    ]
    return os.stat(path).st_blocks * 512


def peak_bytes(server):
    """The most that the server has had in memory: its own, and what it has seen of the arena."""
    with open(f"/proc/{server.process.pid}/status") as file:
        return int(re.search(r"VmHWM:\s+(\d+)", file.read())[1]) << 10


def test_an_output_is_nowhere_copied(servers):
    """It is made in shared memory, and the server sends it from there."""
    server = servers.start("makes")
    make(server, n=1000)
    before = peak_bytes(server)
    make(server)
    assert SIZE <= arena_bytes(server) < SIZE + SLACK
    assert peak_bytes(server) - before < SIZE + SLACK


def test_an_output_that_the_model_keeps_is_copied_once(servers):
    """Which shows that copies are counted."""
    server = servers.start("makes")
    make(server, keep=True)
    assert 2 * SIZE <= arena_bytes(server) < 2 * SIZE + SLACK


@pytest.mark.parametrize(("views", "n_copies"), [("yes", 0), ("no", 1)])
def test_tensors_in_shared_memory(servers, views, n_copies):
    """From one place in it to another: viewed, the tensor is nowhere in between."""
    value = f'value {{ string_value: "{views}" }}'
    config = f'parameters {{ key: "VIEW_SHARED_MEMORY_INPUTS" {value} }}\n'
    server = servers.start(servers.repository().add("identity", config=config))
    numbers = np.arange(N, dtype=np.float32)
    key = f"/hippocamp-{uuid.uuid4().hex}"
    handle = shared_memory.create_shared_memory_region("a", key, 2 * SIZE)
    try:
        shared_memory.set_shared_memory_region(handle, [numbers])
        with InferenceServerClient(server.address) as client:
            client.register_system_shared_memory("a", key, 2 * SIZE)
            given = InferInput("INPUT0", [N], "FP32")
            given.set_shared_memory("a", SIZE)
            wanted = InferRequestedOutput("OUTPUT0")
            wanted.set_shared_memory("a", SIZE, SIZE)
            client.infer("identity", [given], outputs=[wanted])
        found = shared_memory.get_contents_as_numpy(handle, np.float32, [N], SIZE)
        assert (found == numbers).all()
    finally:
        shared_memory.destroy_shared_memory_region(handle)
    copied = arena_bytes(server, "requests") + arena_bytes(server)
    assert n_copies * SIZE <= copied < n_copies * SIZE + SLACK
