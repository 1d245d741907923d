"""Compares native linear models with torch: the arithmetic alone, no server, on one core.

    bench/linear.py [--rounds 5] [--rows 1 32 …] [--threads 1]

The two take turns, so that a change of the machine meets both. What counts is the median over the
rounds of the ratio of their medians. build/…/bench/micro/linear has to be built:
`cmake --build build/release --target micro`. Exits with 1 when a target is missed.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import torch
from torch import nn

ROOT = pathlib.Path(__file__).parent.parent
MICRO = ROOT / "build" / "release" / "bench" / "micro" / "linear"

# At most this many times torch's time, by the number of rows.
TARGETS = {1: 0.5, 32: 1.0}


def mlp():
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)
    ).eval()


def torch_us(module, n_rows):
    x = torch.randn(n_rows, 784)
    times = []
    with torch.inference_mode():
        for _ in range(400):
            began = time.perf_counter()
            module(x)
            times.append((time.perf_counter() - began) * 1e6)
    return statistics.median(times)


def native_us(path, n_rows):
    """That of the last form of the kernels, which is the one that a server takes."""
    output = subprocess.run(
        [MICRO, path, str(n_rows)], check=True, capture_output=True, text=True
    ).stdout
    return float(output.splitlines()[-1].split()[-2])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, nargs="+", default=list(TARGETS))
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[: options.threads]))
    module = mlp()
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "mlp.pt"
        torch.save(module, path)
        for n_rows in options.rows:
            pairs = [
                (native_us(path, n_rows), torch_us(module, n_rows)) for _ in range(options.rounds)
            ]
            ratio = statistics.median(native / torch for native, torch in pairs)
            native, other = (statistics.median(side) for side in zip(*pairs, strict=True))
            target = TARGETS.get(n_rows)
            missed = missed or (target is not None and ratio > target)
            print(
                f"784-512-512-10, {n_rows:4} rows: native {native:8.1f} us, torch {other:8.1f} us, "
                f"ratio {ratio:.2f}" + (f" (target {target})" if target else "")
            )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
