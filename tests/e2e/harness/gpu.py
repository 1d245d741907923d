"""GPUs, and what stands in for them."""

import concurrent.futures
import ctypes
import pathlib
import subprocess

import pytest

from harness.server import command_of

ROOT = pathlib.Path(__file__).parents[3]


def kernels_path():
    """Where the build that is tested has kernels for GPUs, if it has."""
    program = pathlib.Path(command_of("hippocamp")[0]).resolve()
    return program.parents[1] / "lib" / "hippocamp" / "hippocamp-linear.fatbin"


def has_kernels():
    return kernels_path().exists()


def count():
    """How many GPUs the driver has, if there is one."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    n = ctypes.c_int(0)
    return n.value if driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(n)) == 0 else 0


def require():
    """Skips where there is no GPU, and nowhere else."""
    if count() == 0:
        pytest.skip("there is no GPU")


FAKE = ROOT / "tests" / "fake_cuda"

# How kernels are compiled for the processor: with calls to the driver before each read and write,
# or for sanitizers.
CHECKED = ("-nostdlib", "-fsanitize=thread", "--param=tsan-instrument-func-entry-exit=0")
SANITIZED = ("-g1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def build_fake(folder, kernels="kernels.cpp", capabilities=(75, 80), how=CHECKED):
    """Compiles tests/fake_cuda; returns the folder with the driver."""
    driver = folder / "libcuda.so.1"
    sources = [str(path) for path in FAKE.glob("*.c")]
    words = ["cc", "-shared", "-fPIC", "-fvisibility=hidden", "-O2", "-D_GNU_SOURCE"]
    words += [f"-I{ROOT}/src", *sources, f"-Wl,-soname,{driver}", "-o", str(driver)]
    subprocess.run([*words, "-lm", "-lpthread", "-lrt"], check=True)
    sources = [(driver, FAKE / "device" / kernels, c, how) for c in capabilities]
    with concurrent.futures.ThreadPoolExecutor() as threads:
        list(threads.map(_build_kernels, *zip(*sources, strict=True)))
    return folder


def _build_kernels(driver, source, capability, how):
    words = ["g++", "-shared", "-fPIC", "-O2", "-fno-strict-aliasing", "-Wno-unknown-pragmas"]
    words += [*how, f"-D__CUDA_ARCH__={capability}0", f"-I{FAKE}/device", f"-I{ROOT}/src"]
    words += [str(source), "-o", str(driver.parent / f"kernels_{capability}.so")]
    subprocess.run([*words, str(driver), "-lm", "-lc"], check=True)
