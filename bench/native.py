"""Measures the seed's model served without Python.

    bench/native.py [--rounds 5] [--seconds 2]

At 64 connections it is compared with NVIDIA's server, started by the command in the environment
variable HC_ORACLE, on the Python model; at one connection with a bare echo of the same bytes, which
knows nothing but Content-Length (bench/micro/echo.c, built by `cmake --build build/release
--target micro`). They take turns; what counts is the median over the rounds of the ratio. Exits
with 1 when a target is missed.
"""

import argparse
import contextlib
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

import workload  # noqa: E402
from harness.ports import free_port  # noqa: E402
from harness.repository import Repository  # noqa: E402
from harness.server import Server  # noqa: E402

ECHO = ROOT / "build" / "release" / "bench" / "micro" / "echo"
WARM_UP_S = 1
TIMEOUT_S = 10


class Echo:
    """Answers every POST with its body."""

    def __init__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        self.process = subprocess.Popen([ECHO, "bare", str(self.port)])
        give_up_at = time.monotonic() + TIMEOUT_S
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", self.port)).close()
                return self
            assert time.monotonic() < give_up_at, "the echo does not listen"

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def load(kind, n_connections, edit, seconds, folder):
    """What wrk reports of a server of that kind."""
    one = workload.seed(n_connections)
    repository = Repository(folder / f"{kind}-{time.monotonic_ns()}")
    repository.add("linear", edit=edit)
    with Server(kind, repository) as server:
        report = one.load(server, folder, seconds, WARM_UP_S)
        server.stop()
    return report


NATIVE = {'backend: "python"': 'backend: "linear"'}


def latency_pair(seconds, folder):
    """The median latencies at one connection, in microseconds: Hippocamp's and the echo's."""
    native = load("hippocamp", 1, NATIVE, seconds, folder)
    with Echo() as echo:
        bare = workload.seed(1).load(echo, folder, seconds, WARM_UP_S)
    return native["p50_us"], bare["p50_us"]


def throughput_pair(seconds, folder):
    """Requests a second at 64 connections: Hippocamp's, and NVIDIA's with Python."""
    native = load("hippocamp", 64, NATIVE, seconds, folder)
    return native["rps"], load("oracle", 64, {}, seconds, folder)["rps"]


# What is measured, how it is called, and the ratio that is wanted.
ROWS = (
    (latency_pair, "1 conn., p50 us", lambda ratio: ratio <= 1.3, "echo, <= 1.3"),
    (throughput_pair, "64 conn., rps", lambda ratio: ratio >= 4, "NVIDIA, >= 4"),
)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="of load for each value")
    options = parser.parse_args()
    all_met = True
    with tempfile.TemporaryDirectory(prefix="hippocamp-bench-") as name:
        for measure_pair, title, is_met, target in ROWS:
            pairs = [
                measure_pair(options.seconds, pathlib.Path(name)) for _ in range(options.rounds)
            ]
            ratios = [ours / other for ours, other in pairs]
            ratio = statistics.median(ratios)
            ours, other = (statistics.median(side) for side in zip(*pairs, strict=True))
            verdict = "pass" if is_met(ratio) else "FAIL"
            all_met = all_met and is_met(ratio)
            print(
                f"native seed, {title}: {ours:.0f}, {other:.0f}, ratio {ratio:.2f} "
                f"({min(ratios):.2f} to {max(ratios):.2f}; {target}: {verdict})"
            )
    return 0 if all_met else 1


if __name__ == "__main__":
    sys.exit(main())
