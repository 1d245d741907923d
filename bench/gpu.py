"""Compares native linear models on a GPU with a torch model.py on the same GPU, end to end.

    bench/gpu.py [--rounds 5] [--requests 300]

One connection, one request at a time, tensors sent as they are or left in CUDA shared memory; the
two models take turns in one server. What counts is the median over the rounds of the ratio of their
median latencies. Exits with 1 when a target is missed, and with 2 where there is no GPU.
"""

import argparse
import contextlib
import itertools
import json
import pathlib
import socket
import statistics
import sys
import tempfile
import time

import numpy as np
import torch
import tritonclient.http as triton
from torch import nn

ROOT = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from harness import gpu  # noqa: E402
from harness.repository import Repository  # noqa: E402
from harness.server import Server  # noqa: E402

# At most this many times the latency of torch.
TARGET = 0.5

CASES = {
    "mlp": ([784, 512, 512, 10], (1, 32, 256)),
    "wide": ([1024, 4096, 1024], (1, 32, 256)),
}

MODEL = """
import torch
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        folder = args["model_repository"] + "/" + args["model_version"]
        self.module = torch.load(folder + "/model.pt", weights_only=False).cuda()

    def execute(self, requests):
        responses = []
        with torch.inference_mode():
            for request in requests:
                x = pb_utils.get_input_tensor_by_name(request, "x").as_numpy()
                y = self.module(torch.from_numpy(x).cuda()).cpu().numpy()
                responses.append(pb_utils.InferenceResponse([pb_utils.Tensor("y", y)]))
        return responses
"""


def module_of(widths):
    torch.manual_seed(1)
    layers = []
    for n_in, n_out in itertools.pairwise(widths):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1]).eval()


def add_models(repository, name, widths):
    for backend in ("linear", "python"):
        repository.write(
            f"{name}_{backend}/config.pbtxt",
            f'backend: "{backend}"\nmax_batch_size: 256\ninstance_group {{ kind: KIND_GPU }}\n'
            f'input {{ name: "x" data_type: TYPE_FP32 dims: [ {widths[0]} ] }}\n'
            f'output {{ name: "y" data_type: TYPE_FP32 dims: [ {widths[-1]} ] }}\n',
        )
        (repository.path / f"{name}_{backend}/1").mkdir()
        torch.save(module_of(widths), repository.path / f"{name}_{backend}/1/model.pt")
    repository.write(f"{name}_python/1/model.py", MODEL)


def region(name, size):
    return {"shared_memory_region": name, "shared_memory_byte_size": size}


def request_bytes(model, x, y_size, shared):
    """A request with `x` behind it, or with everything in shared memory."""
    given = {"name": "x", "datatype": "FP32", "shape": x.shape}
    given["parameters"] = region("x", x.nbytes) if shared else {"binary_data_size": x.nbytes}
    wanted = {"name": "y", "parameters": {"binary_data": True}}
    if shared:
        wanted["parameters"] = region("y", y_size)
    head = json.dumps({"inputs": [given], "outputs": [wanted]}).encode()
    body = head if shared else head + x.tobytes()
    length = "" if shared else f"Inference-Header-Content-Length: {len(head)}\r\n"
    start = f"POST /v2/models/{model}/infer HTTP/1.1\r\nHost: x\r\n{length}"
    return f"{start}Content-Length: {len(body)}\r\n\r\n".encode() + body


def receive(connection):
    """The body of one answer."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(1 << 20)
    head, body = data.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 200"), data
    size = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    )
    while len(body) < size:
        body += connection.recv(1 << 20)
    return body


def latency_us(connection, request, n):
    times = []
    for _ in range(n):
        began = time.perf_counter_ns()
        connection.sendall(request)
        receive(connection)
        times.append((time.perf_counter_ns() - began) / 1000)
    return statistics.median(times)


class Regions:
    """CUDA shared memory for inputs, "x", and outputs, "y", registered with a server."""

    SIZE = 4 << 20

    def __init__(self, server):
        from tritonclient.utils import cuda_shared_memory as memory

        self._memory = memory
        self._regions = {n: memory.create_shared_memory_region(n, self.SIZE, 0) for n in "xy"}
        with triton.InferenceServerClient(server.address) as client:
            for name, handle in self._regions.items():
                raw = memory.get_raw_handle(handle)
                client.register_cuda_shared_memory(name, raw, 0, self.SIZE)

    def put(self, x):
        self._memory.set_shared_memory_region(self._regions["x"], [x])

    def get(self, n):
        return self._memory.get_contents_as_numpy(self._regions["y"], np.float32, [n])


def compare(connection, regions, case, n_rows, shared, options):
    name, widths = case
    n_values = n_rows * widths[-1]
    x = np.random.default_rng(1).normal(size=(n_rows, widths[0])).astype(np.float32)
    requests = {
        b: request_bytes(f"{name}_{b}", x, 4 * n_values, shared) for b in ("linear", "python")
    }
    answers = {}
    regions.put(x)
    for backend, request in requests.items():
        latency_us(connection, request, 20)
        connection.sendall(request)
        body = receive(connection)
        answers[backend] = (
            regions.get(n_values) if shared else np.frombuffer(body[-4 * n_values :], np.float32)
        ).copy()
    np.testing.assert_allclose(answers["linear"], answers["python"], rtol=1e-3, atol=1e-3)
    rounds = [
        {b: latency_us(connection, r, options.requests) for b, r in requests.items()}
        for _ in range(options.rounds)
    ]
    ratio = statistics.median(r["linear"] / r["python"] for r in rounds)
    native, other = (statistics.median(r[b] for r in rounds) for b in ("linear", "python"))
    print(
        f"{'-'.join(map(str, widths))}, {n_rows:4} rows, "
        f"{'in shared memory' if shared else 'sent':16}: native {native:8.1f} us, "
        f"torch {other:8.1f} us, ratio {ratio:.2f} (target {TARGET})",
        flush=True,
    )
    return ratio <= TARGET


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=300)
    options = parser.parse_args()
    if gpu.count() == 0:
        print("there is no GPU")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        repository = Repository(pathlib.Path(folder))
        for name, (widths, _) in CASES.items():
            add_models(repository, name, widths)
        server = Server("hippocamp", repository)
        with contextlib.closing(
            socket.create_connection(("127.0.0.1", server.http_port))
        ) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            regions = Regions(server)
            met = [
                compare(connection, regions, (name, widths), n_rows, shared, options)
                for name, (widths, batches) in CASES.items()
                for n_rows in batches
                for shared in (False, True)
            ]
        server.stop()
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
