"""Native models on GPUs, and regions of a GPU's memory to ask them in."""

import base64
import contextlib
import copy
import itertools
import mmap
import os
import pathlib
import uuid

import ml_dtypes
import numpy as np
import torch
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton
from torch import nn

from harness.weights import add_model

ON_GPU = "max_batch_size: 512\ninstance_group { kind: KIND_GPU }\n"


def mlp(widths, dtype=torch.float32, seed=1):
    torch.manual_seed(seed)
    layers = []
    for n_in, n_out in itertools.pairwise(widths):
        layers += [nn.Linear(n_in, n_out), nn.GELU()]
    return nn.Sequential(*layers[:-1]).to(dtype).eval()


def as_sent(x, dtype):
    """Rows as numbers of a type of torch's, in the type that clients send them in."""
    rounded = torch.from_numpy(x).to(dtype)
    if dtype == torch.bfloat16:
        return rounded.float().numpy().astype(ml_dtypes.bfloat16)
    return rounded.numpy()


def exact(module, x):
    with torch.no_grad():
        return copy.deepcopy(module).double()(torch.from_numpy(x.astype(np.float64))).numpy()


def add_mlp(repository, name, widths, config=ON_GPU, **how):
    module = mlp(widths, **how)
    add_model(repository, name, module, config=config)
    return module


def infer(server, model, x, datatype="FP32"):
    given = triton.InferInput("x", x.shape, datatype)
    given.set_data_from_numpy(x)
    with triton.InferenceServerClient(server.address, network_timeout=60) as client:
        return client.infer(model, [given]).as_numpy("y")


def infer_gpu_tensor(server, x):
    """What the fixture gpu_tensors gives back, and says."""
    given = triton.InferInput("x", x.shape, "FP32")
    given.set_data_from_numpy(x)
    with triton.InferenceServerClient(server.address, network_timeout=60) as client:
        answer = client.infer("gpu_tensors", [given])
    return answer.as_numpy("y"), [text.decode() for text in answer.as_numpy("says")]


# What it says of a tensor of N elements.
def gpu_tensor_says(n):
    refusal = "Tensor is stored in GPU and cannot be converted to NumPy."
    return ["False", "(2, 0)", f"[{n}]", refusal]


# The two protocols' clients, whose methods have the same names.
CLIENTS = {
    "http": (triton, lambda server: triton.InferenceServerClient(server.address)),
    "grpc": (
        triton_grpc,
        lambda server: triton_grpc.InferenceServerClient(f"127.0.0.1:{server.grpc_port}"),
    ),
}


def infer_in_regions(protocol, client, model, shape, x_size, y_size, x_at=0, y_at=0):
    """Asks with the input in region "x" and the output in region "y"."""
    module = CLIENTS[protocol][0]
    given = module.InferInput("x", shape, "FP32")
    given.set_shared_memory("x", x_size, x_at)
    wanted = module.InferRequestedOutput("y")
    wanted.set_shared_memory("y", y_size, y_at)
    return client.infer(model, [given], outputs=[wanted])


@contextlib.contextmanager
def pretended_region(size):
    """POSIX shared memory, which the pretended driver takes for a GPU's; its bytes, and its raw
    handle."""
    name = f"hippocamp-{uuid.uuid4().hex[:12]}"
    path = pathlib.Path("/dev/shm") / name
    path.write_bytes(bytes(size))
    descriptor = os.open(path, os.O_RDWR)
    try:
        with mmap.mmap(descriptor, size) as memory:
            yield memory, base64.b64encode(f"/{name}".encode().ljust(64, b"\0"))
    finally:
        os.close(descriptor)
        path.unlink()
