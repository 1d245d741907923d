"""The kernels, launched one by one: on the processor, where all that they read and write is checked
(tests/fake_cuda/grid.h), and on a GPU, where there is one."""

import math
import os

import ml_dtypes
import numpy as np
import pytest

from harness import gpu
from harness.cuda import NUMBERS, OPERATIONS, Apply, Cuda, CudaError, Linear

pytestmark = pytest.mark.hippocamp_only("NVIDIA's server has no such kernels")

TYPES = {
    "f32": np.dtype(np.float32),
    "f64": np.dtype(np.float64),
    "f16": np.dtype(np.float16),
    "bf16": np.dtype(ml_dtypes.bfloat16),
    "i8": np.dtype(np.int8),
}

# Half the distance from 1 to the next number, and from 0 to the first.
ROUNDING = {
    "f32": (2.0**-24, 2.0**-150),
    "f64": (2.0**-53, 2.0**-1075),
    "f16": (2.0**-11, 2.0**-25),
    "bf16": (2.0**-8, 2.0**-134),
}


def pad(n):
    return -(-n // 16) * 16


def divide_up(a, b):
    return -(-a // b)


@pytest.fixture(
    scope="module",
    params=["fake_80", "fake_75", pytest.param("gpu", marks=pytest.mark.gpu)],
)
def cuda(request):
    """A GPU; cuda.is_old says that it has no tensor cores for BF16."""
    if request.param == "gpu":
        gpu.require()
        found = Cuda("libcuda.so.1", gpu.kernels_path())
    else:
        os.environ["FAKE_CUDA_CAPABILITY"] = request.param.split("_")[1]
        found = Cuda(request.getfixturevalue("fake_cuda") / "libcuda.so.1", __file__)
        del os.environ["FAKE_CUDA_CAPABILITY"]
    found.is_old = request.param == "fake_75"
    return found


# ---- What is exact ----

erf = np.vectorize(math.erf, otypes=[np.float64])


def sigmoid(x):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


EXACT = {
    "nothing": lambda x, slope: x,
    "relu": lambda x, slope: np.maximum(x, 0),
    "leaky_relu": lambda x, slope: np.where(x < 0, slope * x, x),
    "gelu": lambda x, slope: 0.5 * x * (1 + erf(x / math.sqrt(2))),
    "gelu_tanh": lambda x, slope: (
        0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    ),
    "tanh": lambda x, slope: np.tanh(x),
    "sigmoid": lambda x, slope: sigmoid(x),
    "silu": lambda x, slope: x * sigmoid(x),
}

SLOPE = 0.3


def check(y, expected, bound, real, y_number):
    """BOUND is how far numbers may be before they are rounded to what is stored."""
    for number in {real, y_number}:
        relative, absolute = ROUNDING[number]
        bound = bound + relative * (np.abs(expected) + bound) + absolute
    error = np.abs(y.astype(np.float64) - expected)
    assert (error <= bound).all(), f"{(error / bound).max()} times what is allowed"


def bound_of_operation(value, bound, real):
    """No operation is steeper than 1.13; they are calculated from a few rounded steps."""
    return 1.13 * bound + 16 * ROUNDING[real][0] * np.maximum(np.abs(value), 1)


# ---- Linear layers ----


class Layer:
    """A linear layer of random numbers, as the server lays it out, and its exact results."""

    def __init__(self, number, n_rows, n_in, n_out, seed, has_bias=True):
        random = np.random.default_rng(seed)
        self.number, self.n_rows, self.n_in, self.n_out = number, n_rows, n_in, n_out
        self.real = "f64" if number == "f64" else "f32"
        self.x = np.zeros((n_rows, pad(n_in) + 16), TYPES["f32" if number == "i8" else number])
        self.x[:, :n_in] = random.normal(size=(n_rows, n_in))
        self.x[:, pad(n_in) :] = np.nan  # beyond the padding: nobody's
        self.weights = np.zeros((n_out, pad(n_in)), TYPES[number])
        self.scales = None
        if number == "i8":
            self.weights[:, :n_in] = random.integers(-127, 128, (n_out, n_in))
            self.scales = random.uniform(0.001, 0.02, n_out).astype(np.float32)
        else:
            self.weights[:, :n_in] = random.normal(size=(n_out, n_in)) / math.sqrt(n_in)
        self.bias = random.normal(size=n_out).astype(TYPES[self.real]) if has_bias else None

    def exact(self):
        """Sums before the operation, and how far they may be from that."""
        x = self.x[:, : self.n_in].astype(np.float64)
        weights = self.weights[:, : self.n_in].astype(np.float64)
        if self.scales is not None:
            weights = weights * self.scales.astype(np.float64)[:, None]
        bias = 0 if self.bias is None else self.bias.astype(np.float64)
        sums, sizes = x @ weights.T + bias, np.abs(x) @ np.abs(weights).T + np.abs(bias)
        return sums, 2 * (self.n_in + 3) * ROUNDING[self.real][0] * sizes


def run_linear(cuda, kernel, each, layer, n_split, operation, y_number, n_stored):
    """Runs KERNEL, whose warps take EACH rows and outputs; returns what it stores of each row."""
    rows_each, outputs_each = each
    y = np.full((layer.n_rows, n_stored + 3), 77, TYPES[y_number])
    with cuda.memory() as put:
        p = Linear(
            put(layer.x), put(layer.weights), put(layer.scales), put(layer.bias), put(y), SLOPE
        )
        p.n_rows, p.n_in, p.n_out, p.n_stored = layer.n_rows, pad(layer.n_in), layer.n_out, n_stored
        p.x_stride, p.weights_stride, p.y_stride = (a.shape[1] for a in (layer.x, layer.weights, y))
        p.y_number, p.operation = NUMBERS[y_number], OPERATIONS[operation]
        p.n_split = n_split
        groups = divide_up(n_stored, outputs_each)
        cuda.launch(kernel, p, divide_up(groups, 8 // n_split), divide_up(layer.n_rows, rows_each))
        y = cuda.get(p.y, y)
    assert (y[:, n_stored:] == 77).all()
    assert (y[:, layer.n_out : n_stored] == 0).all()
    return y[:, : layer.n_out]


def check_linear(cuda, kernel, each, layer, n_split, operation, y_number, n_stored):
    y = run_linear(cuda, kernel, each, layer, n_split, operation, y_number, n_stored)
    sums, bound = layer.exact()
    expected = EXACT[operation](sums, SLOPE)
    check(y, expected, bound_of_operation(sums, bound, layer.real), layer.real, y_number)
    return y


SHAPES = ((1, 1, 1), (3, 17, 5), (9, 130, 33), (17, 301, 37))
ELEMENTWISE = list(EXACT)


@pytest.mark.parametrize("rows", [1, 2, 4, 8])
@pytest.mark.parametrize("number", TYPES)
def test_rows(cuda, number, rows):
    each = rows, 2 if rows < 4 else 4
    turn = 0
    for n_split in (1, 2, 4, 8):
        for shape in SHAPES:
            for n_stored in (shape[2], pad(shape[2])):
                layer = Layer(number, *shape, seed=turn, has_bias=turn % 3 > 0)
                operation = ELEMENTWISE[turn % len(ELEMENTWISE)]
                y_number = list(NUMBERS)[turn // 2 % len(NUMBERS)]
                kernel = f"rows_{number}_{rows}"
                check_linear(cuda, kernel, each, layer, n_split, operation, y_number, n_stored)
                turn += 1


@pytest.mark.parametrize("tiles", [1, 4])
@pytest.mark.parametrize("number", ["f16", "bf16"])
def test_tiles(cuda, number, tiles):
    if number == "bf16" and cuda.is_old:
        with pytest.raises(CudaError, match="LAUNCH_FAILED"):
            run_tiles(cuda, number, tiles, Layer(number, 1, 1, 1, 0), 2, "nothing", "f32", 1)
        return
    turn = 0
    for n_split in (2, 4, 8):
        for shape in (*SHAPES, (70, 95, 40)):
            for n_stored in (shape[2], pad(shape[2])):
                layer = Layer(number, *shape, seed=turn, has_bias=turn % 3 > 0)
                operation = ELEMENTWISE[turn % len(ELEMENTWISE)]
                y_number = list(NUMBERS)[turn // 2 % len(NUMBERS)]
                run_tiles(cuda, number, tiles, layer, n_split, operation, y_number, n_stored)
                turn += 1


def run_tiles(cuda, number, tiles, layer, *how):
    return check_linear(cuda, f"tiles_{number}_{tiles}", (16 * tiles, 32), layer, *how)


@pytest.mark.parametrize("operation", ELEMENTWISE)
def test_no_number_stays_none(cuda, operation):
    layer = Layer("f32", 2, 16, 3, 0)
    layer.x[0, 3] = np.nan
    y = run_linear(cuda, "rows_f32_2", (2, 2), layer, 1, operation, "f32", 3)
    assert np.isnan(y[0]).all() and np.isfinite(y[1]).all()


# ---- What lies between them ----


class Rows:
    """Rows for what lies between layers, wider than what counts of them."""

    def __init__(self, n_rows, n, number, seed):
        random = np.random.default_rng(seed)
        self.n = n
        self.x = np.full((n_rows, n + seed % 2), np.nan, TYPES[number])
        self.x[:, :n] = random.normal(0, 3, (n_rows, n))
        self.values = self.x[:, :n].astype(np.float64)


def exact_norm(values, weights, bias, epsilon):
    mean = values.mean(1, keepdims=True)
    factor = 1 / np.sqrt(((values - mean) ** 2).mean(1, keepdims=True) + epsilon)
    y = (values - mean) * factor
    y = y if weights is None else y * weights.astype(np.float64)
    return y if bias is None else y + bias.astype(np.float64)


def exact_softmax(values):
    y = np.exp(values - values.max(1, keepdims=True))
    return y / y.sum(1, keepdims=True)


def exact_apply(operation, rows, weights, bias, parameter):
    if operation == "norm":
        return exact_norm(rows.values, weights, bias, parameter)
    if operation == "softmax":
        return exact_softmax(rows.values)
    return EXACT[operation](rows.values, parameter)


def check_apply(cuda, real, operation, rows, x_number, y_number, how):
    """HOW: the columns that are stored, whether in place, the blocks, and parameters of a norm."""
    n_stored, in_place, n_blocks, weights, bias = how
    parameter = 1e-5 if operation == "norm" else SLOPE
    n_rows, n = rows.values.shape
    y = rows.x if in_place else np.full((n_rows, n_stored + 3), 77, TYPES[y_number])
    with cuda.memory() as put:
        p = Apply(put(rows.x), put(weights), put(bias), 0, parameter)
        p.y = p.x if in_place else put(y)
        p.n_rows, p.n, p.n_stored = n_rows, n, n_stored
        p.x_stride, p.y_stride = rows.x.shape[1], y.shape[1]
        p.x_number, p.y_number = NUMBERS[x_number], NUMBERS[y_number]
        p.operation = OPERATIONS[operation]
        cuda.launch(f"apply_{real}", p, n_blocks)
        result = cuda.get(p.y, y)
    np.testing.assert_array_equal(result[:, n_stored:], y[:, n_stored:])
    assert (result[:, n:n_stored] == 0).all()
    expected = exact_apply(operation, rows, weights, bias, parameter)
    sizes = 10 if operation == "norm" else np.maximum(np.abs(rows.values), 1)
    bound = (
        (16 + 4 * n) * ROUNDING[real][0] * sizes
        if operation == "norm"
        else 32 * ROUNDING[real][0] * sizes
    )
    check(result[:, :n], expected, bound, real, y_number)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("real", ["f32", "f64"])
def test_apply(cuda, real, operation):
    random = np.random.default_rng(5)
    turn = 0
    for n in (1, 31, 257, 600):
        for x_number in NUMBERS if real == "f32" else ["f32", "f64"]:
            for y_number in NUMBERS:
                rows = Rows(5, n, x_number, turn)
                weights = random.normal(size=n).astype(TYPES[real]) if turn % 2 else None
                bias = random.normal(size=n).astype(TYPES[real]) if turn % 3 else None
                if operation != "norm":
                    weights = bias = None
                in_place = x_number == y_number and turn % 2 == 0
                how = (n if in_place else pad(n), in_place, 1 + turn % 5, weights, bias)
                check_apply(cuda, real, operation, rows, x_number, y_number, how)
                turn += 1


# ---- What is checked on the processor ----

# What is told of each mistake, and what the launch gives.
MISTAKES = {
    "barrier_in_a_branch": ("not all threads come to the barrier", "LAUNCH_FAILED"),
    "shuffle_without_a_lane": ("not all lanes of the warp come", "LAUNCH_FAILED"),
    "shuffle_beside_a_barrier": ("not all lanes of the warp come", "LAUNCH_FAILED"),
    "shuffle_of_some_lanes": ("trap", "LAUNCH_FAILED"),
    "vector_at_an_odd_place": ("reads 16 bytes", "MISALIGNED_ADDRESS"),
    "number_at_an_odd_place": ("writes 4 bytes", "MISALIGNED_ADDRESS"),
    "read_behind_the_end": ("reads 4 bytes", "ILLEGAL_ADDRESS"),
    "vector_behind_the_end": ("reads 16 bytes", "ILLEGAL_ADDRESS"),
    "write_before_the_start": ("writes 4 bytes", "ILLEGAL_ADDRESS"),
    "write_to_nowhere": ("writes 4 bytes", "ILLEGAL_ADDRESS"),
    "read_of_what_another_writes": ("that thread 0 writes", "LAUNCH_FAILED"),
    "write_to_what_another_reads": ("that another thread reads", "LAUNCH_FAILED"),
    "write_to_what_another_writes": ("that another thread writes", "LAUNCH_FAILED"),
    "read_of_what_nobody_wrote": ("that nobody wrote", "LAUNCH_FAILED"),
    "trap": ("trap at", "LAUNCH_FAILED"),
}


@pytest.fixture(scope="module")
def mistakes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mistakes")
    gpu.build_fake(folder, "mistakes.cpp", [80])
    return Cuda(folder / "libcuda.so.1", __file__)


def run_mistake(cuda, name):
    with cuda.memory() as put:
        p = Linear(put(np.zeros(255, np.float32)), 0, 0, 0, put(np.zeros(256, np.float32)))
        p.n_in = 255
        cuda.launch(name, p, 2)


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_found(mistakes, name, capfd):
    told, result = MISTAKES[name]
    with pytest.raises(CudaError, match=result):
        run_mistake(mistakes, name)
    assert f"fake_cuda: {name}, block" in (text := capfd.readouterr().err)
    assert told in text
    run_mistake(mistakes, "no_mistake")
