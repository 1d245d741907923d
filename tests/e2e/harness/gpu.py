"""GPUs, and what stands in for them."""

import ctypes
import pathlib
import subprocess

import pytest

from harness.server import command_of

ROOT = pathlib.Path(__file__).parents[3]


def has_kernels():
    """Whether the build that is tested has kernels for GPUs."""
    program = pathlib.Path(command_of("hippocamp")[0]).resolve()
    return (program.parents[1] / "lib" / "hippocamp" / "hippocamp-linear.fatbin").exists()


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


def build_fake(folder):
    """Compiles tests/fake_cuda; returns the folder with the driver."""
    sources = [str(path) for path in (ROOT / "tests" / "fake_cuda").glob("*.c")]
    words = ["cc", "-shared", "-fPIC", "-fvisibility=hidden", "-O1", "-D_GNU_SOURCE"]
    words += [f"-I{ROOT}/src", *sources, "-o", str(folder / "libcuda.so.1")]
    subprocess.run([*words, "-lm", "-lpthread", "-lrt"], check=True)
    return folder
