"""Stacks of layers made at random, in every type of weights, against torch in double precision."""

import copy
import random

import ml_dtypes
import numpy as np
import pytest
import torch
import tritonclient.http as triton
from torch import nn

from harness.weights import SAVED, add_model, safetensors

pytestmark = pytest.mark.hippocamp_only("NVIDIA's server has no such backend")

N_STACKS = 48
WIDTHS = (1, 2, 3, 7, 8, 15, 16, 31, 33, 64, 100, 257)
ACTIVATIONS = (
    nn.ReLU,
    nn.GELU,
    lambda: nn.GELU(approximate="tanh"),
    nn.Tanh,
    nn.Sigmoid,
    nn.SiLU,
    nn.LeakyReLU,
    lambda: nn.LeakyReLU(0.3),
    lambda: nn.Softmax(-1),
    nn.Dropout,
    nn.Identity,
)

# By the type of the weights: what clients send, and how far answers may be from exact ones.
TYPES = {
    torch.float64: ("FP64", np.float64, 1e-12),
    torch.float32: ("FP32", np.float32, 2e-5),
    torch.float16: ("FP16", np.float16, 4e-3),
    torch.bfloat16: ("BF16", ml_dtypes.bfloat16, 3e-2),
}


def random_stack(seed):
    """A module, the type of its weights and a form to save it in."""
    choose = random.Random(seed)
    torch.manual_seed(seed)
    dtype = choose.choice([torch.float32] * 3 + list(TYPES))
    width = choose.choice(WIDTHS)
    layers = [nn.LayerNorm(width)] if choose.random() < 0.2 else []
    for _ in range(choose.randint(1, 4)):
        next_width = choose.choice(WIDTHS)
        layers.append(nn.Linear(width, next_width, bias=choose.random() < 0.8))
        width = next_width
        if choose.random() < 0.3:
            layers.append(nn.LayerNorm(width, elementwise_affine=choose.random() < 0.7))
        for _ in range(choose.choice((0, 1, 1, 2))):
            layers.append(choose.choice(ACTIVATIONS)())
    module = nn.Sequential(*layers).to(dtype).eval()
    forms = [form for form in SAVED if dtype != torch.bfloat16 or "npz" not in form]
    form = choose.choice(forms)
    if any(isinstance(layer, nn.LayerNorm) and layer.weight is None for layer in layers):
        form = "module"  # of norms without weights there is nothing in a file of tensors
    return module, dtype, form


def exact(module, x):
    with torch.no_grad():
        return copy.deepcopy(module).double()(torch.from_numpy(x.astype(np.float64))).numpy()


def infer(client, model, x, datatype):
    given = triton.InferInput("x", x.shape, datatype)
    given.set_data_from_numpy(x)
    return client.infer(model, [given]).as_numpy("y")


@pytest.fixture(scope="module")
def client(module_servers):
    repository = module_servers.repository()
    for seed in range(N_STACKS):
        module, _, form = random_stack(seed)
        config = "max_batch_size: 64\ndynamic_batching { }\n" if seed % 2 else ""
        add_model(repository, f"stack_{seed}", module, form, config)
    server = module_servers.start(repository)
    with triton.InferenceServerClient(server.address, network_timeout=60) as client:
        yield client


@pytest.mark.parametrize("seed", range(N_STACKS))
def test_a_stack_gives_what_torch_gives(client, seed):
    module, dtype, _ = random_stack(seed)
    datatype, numpy_type, tolerance = TYPES[dtype]
    first = next(m for m in module if hasattr(m, "weight") and m.weight is not None)
    width = first.in_features if isinstance(first, nn.Linear) else first.normalized_shape[0]
    generator = np.random.default_rng(seed)
    for n_rows in (1, 2, 3, 4, int(generator.integers(5, 64)), 64):
        x = generator.normal(size=(n_rows, width))
        x = torch.from_numpy(x).to(dtype).double().numpy().astype(numpy_type)
        y = infer(client, f"stack_{seed}", x, datatype).astype(np.float64)
        expected = exact(module, x)
        scale = max(1.0, np.abs(expected).max())
        assert y.shape == expected.shape
        np.testing.assert_allclose(y, expected, rtol=tolerance, atol=tolerance * scale)


def test_weights_of_8_bits_have_a_scale_an_output(servers):
    torch.manual_seed(4)
    weight = torch.randint(-127, 128, (30, 70), dtype=torch.int8)
    scale = torch.rand(30, 1) / 100
    bias = torch.randn(30)
    repository = servers.repository()
    repository.write("eight/config.pbtxt", 'backend: "linear"\n')
    (repository.path / "eight/1").mkdir()
    (repository.path / "eight/1/model.safetensors").write_bytes(
        safetensors({"fc.weight": weight, "fc.weight_scale": scale, "fc.bias": bias})
    )
    server = servers.start(repository)
    x = torch.randn(5, 70)
    expected = x.double() @ (weight.double() * scale.double()).t() + bias.double()
    with triton.InferenceServerClient(server.address, network_timeout=60) as client:
        y = infer(client, "eight", x.numpy(), "FP32")
    np.testing.assert_allclose(y, expected.numpy(), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("datatype", ["FP16", "BF16"])
def test_clients_may_send_and_get_fewer_bits_than_weights_have(servers, datatype):
    torch.manual_seed(6)
    module = nn.Sequential(nn.Linear(12, 20), nn.Tanh(), nn.Linear(20, 4)).eval()
    config = (
        f'input {{ name: "x" data_type: TYPE_{datatype} dims: [ 12 ] }}\n'
        f'output {{ name: "y" data_type: TYPE_{datatype} dims: [ 4 ] }}\nmax_batch_size: 8\n'
    )
    repository = servers.repository()
    add_model(repository, "narrow", module, config=config)
    server = servers.start(repository)
    dtype = torch.float16 if datatype == "FP16" else torch.bfloat16
    x = torch.randn(6, 12).to(dtype).float().numpy()
    given = x.astype(np.float16 if datatype == "FP16" else ml_dtypes.bfloat16)
    with triton.InferenceServerClient(server.address, network_timeout=60) as client:
        y = infer(client, "narrow", given, datatype).astype(np.float64)
    rounding = 2.0**-11 if datatype == "FP16" else 2.0**-7
    np.testing.assert_allclose(y, exact(module, x), rtol=rounding, atol=1e-6)
