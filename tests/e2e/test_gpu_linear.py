"""Linear models on a GPU, and on a driver that runs the kernels on the processor, with smaller
models and fewer rows."""

import concurrent.futures
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
import requests
import torch
from torch import nn

from gpu_models import ON_GPU, add_mlp, as_sent, exact, infer
from harness import gpu
from harness.weights import add_model, safetensors

pytestmark = pytest.mark.hippocamp_only("NVIDIA's server has no such backend")

if not gpu.has_kernels():
    pytest.skip("this build has no kernels for GPUs", allow_module_level=True)


@dataclass
class Driver:
    widths: dict
    rows: tuple
    n_requests: int
    n_gpus: Callable
    environment: dict = field(default_factory=dict)


ON_A_GPU = Driver(
    widths={"mlp": (784, 512, 512, 10), "wide": (1024, 4096, 1024), "odd": (301, 77, 513, 5)},
    rows=(1, 2, 3, 4, 5, 8, 9, 16, 17, 32, 33, 64, 100, 128, 200, 256, 500),
    n_requests=300,
    n_gpus=gpu.count,
)

# The products of 33 rows with the wide layer are enough for tensor cores.
ON_THE_PROCESSOR = Driver(
    widths={"mlp": (40, 48, 48, 10), "wide": (1024, 320, 8), "odd": (61, 37, 73, 5)},
    rows=(1, 2, 5, 9, 33),
    n_requests=60,
    n_gpus=lambda: 1,
)


@pytest.fixture(scope="module", params=[pytest.param("gpu", marks=pytest.mark.gpu), "fake"])
def driver(request):
    if request.param == "fake":
        ON_THE_PROCESSOR.environment["LD_LIBRARY_PATH"] = str(request.getfixturevalue("fake_cuda"))
        return ON_THE_PROCESSOR
    gpu.require()
    return ON_A_GPU


# What weights are of: what clients send, and how far answers may be from exact ones.
TYPES = {
    torch.float64: ("FP64", 1e-12),
    torch.float32: ("FP32", 2e-5),
    torch.float16: ("FP16", 4e-3),
    torch.bfloat16: ("BF16", 3e-2),
}

ACTIVATIONS = {
    "relu": nn.ReLU(),
    "leaky": nn.LeakyReLU(0.3),
    "gelu": nn.GELU(),
    "gelu_tanh": nn.GELU(approximate="tanh"),
    "tanh": nn.Tanh(),
    "sigmoid": nn.Sigmoid(),
    "silu": nn.SiLU(),
    "softmax": nn.Softmax(-1),
    "norm": nn.LayerNorm(600),
}


def eight_bits():
    torch.manual_seed(4)
    weight = torch.randint(-127, 128, (600, 700), dtype=torch.int8)
    return weight, torch.rand(600, 1) / 100, torch.randn(600)


@pytest.fixture(scope="module")
def models(driver):
    return {}


@pytest.fixture(scope="module")
def server(module_servers, driver, models):
    repository = module_servers.repository()
    for name, widths in driver.widths.items():
        for dtype, (datatype, _) in TYPES.items():
            models[name, datatype] = add_mlp(repository, f"{name}_{datatype}", widths, dtype=dtype)
    for name, activation in ACTIVATIONS.items():
        torch.manual_seed(3)
        for dtype, (datatype, _) in TYPES.items():
            module = nn.Sequential(nn.Linear(40, 600), activation, nn.Linear(600, 33)).to(dtype)
            models[name, datatype] = module
            add_model(repository, f"{name}_{datatype}", module, config=ON_GPU)
    repository.write("eight/config.pbtxt", f'backend: "linear"\n{ON_GPU}')
    (repository.path / "eight/1").mkdir()
    weight, scale, bias = eight_bits()
    (repository.path / "eight/1/model.safetensors").write_bytes(
        safetensors({"fc.weight": weight, "fc.weight_scale": scale, "fc.bias": bias})
    )
    repository.add("linear", name="seed", edit={'backend: "python"': 'backend: "linear"'})
    add_mlp(
        repository, "nowhere", (4, 4), config="instance_group { kind: KIND_GPU gpus: [ 99 ] }\n"
    )
    return module_servers.start(
        repository,
        "--exit-on-error=false",
        "--strict-readiness=false",
        environment=driver.environment,
    )


def check(server, name, module, dtype, n_rows, seed):
    datatype, tolerance = TYPES[dtype]
    width = next(m for m in module if isinstance(m, nn.Linear)).in_features
    x = as_sent(np.random.default_rng(seed).normal(size=(n_rows, width)), dtype)
    expected = exact(module, x)
    y = infer(server, name, x, datatype).astype(np.float64)
    scale = max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(y, expected, rtol=tolerance, atol=tolerance * scale)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("name", ON_A_GPU.widths)
def test_all_sizes_in_all_types(server, driver, models, name, dtype):
    datatype, _ = TYPES[dtype]
    for turn in range(3):  # step by step, as a graph that is made, as one that is there
        for n_rows in driver.rows:
            check(server, f"{name}_{datatype}", models[name, datatype], dtype, n_rows, turn)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_all_activations_in_all_types(server, driver, models, name, dtype):
    datatype, _ = TYPES[dtype]
    for n_rows in driver.rows:
        check(server, f"{name}_{datatype}", models[name, datatype], dtype, n_rows, n_rows)


def test_weights_of_8_bits(server, driver):
    weight, scale, bias = eight_bits()
    for n_rows in driver.rows:
        x = torch.randn(n_rows, 700)
        expected = x.double() @ (weight.double() * scale.double()).t() + bias.double()
        y = infer(server, "eight", x.numpy())
        np.testing.assert_allclose(y, expected.numpy(), rtol=2e-5, atol=2e-4)


def test_one_float_layer_is_as_exact_as_sums_of_floats_are(server):
    for n_rows in (1, 2, 3, 4):
        x = np.random.default_rng(n_rows).normal(0, 100, (n_rows, 3)).astype(np.float32)
        w = np.array([0.5, 0.25, -0.125])
        y64 = x.astype(np.float64) @ w[:, None] + 1
        bound = 2 * (3 + 1) * 2.0**-24 * (np.abs(x) @ np.abs(w)[:, None] + 1)
        assert (np.abs(infer(server, "seed", x) - y64) <= bound).all()


def test_instances_are_on_gpus(server, driver):
    for name in ("seed", "mlp_FP32"):
        config = requests.get(f"{server.url}/v2/models/{name}/config", timeout=60).json()
        (group,) = config["instance_group"]
        assert (group["kind"], group["gpus"]) == ("KIND_GPU", list(range(driver.n_gpus())))
    assert re.search(r"GPU 0: .*compute capability", server.log())


def test_a_gpu_that_is_not_there_is_refused(server):
    assert "specifies invalid or unsupported gpu id 99" in server.log()


def test_several_at_a_time(server, driver, models):
    def one(i):
        check(server, "mlp_FP32", models["mlp", "FP32"], torch.float32, 1 + i % 40, i)

    with concurrent.futures.ThreadPoolExecutor(16) as threads:
        list(threads.map(one, range(driver.n_requests)))
