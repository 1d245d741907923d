"""The requests that are measured, and how wrk sends them."""

import dataclasses
import json
import pathlib
import subprocess

FOLDER = pathlib.Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class Workload:
    """One request, sent over and over by a number of connections."""

    name: str
    model: str
    n_connections: int
    request: dict
    blob: bytes = b""
    how: str = "infer"
    least_s: int = 0  # for which it has to be sent: one request may take NVIDIA's server seconds
    parts: tuple = ()  # copies of the model `identity` that the model needs, by name

    def add_to(self, repository):
        """Adds the model, and what it is made of."""
        if self.model == "bytes":
            repository.add("identity", "bytes", edit={"TYPE_FP32": "TYPE_STRING"})
        else:
            repository.add(self.model)
        for part in self.parts:
            repository.add("identity", name=part)

    def load(self, server, folder, seconds, warm_up_s):
        """Counts, and latencies in microseconds."""
        arguments = self._write(folder)
        url = f"{server.url}/v2/models/{self.model}/{self.how}"
        run(url, self.n_connections, warm_up_s, arguments)
        return run(url, self.n_connections, max(seconds, self.least_s), arguments)

    def _write(self, folder):
        """Writes the body into a file; returns what bench/load.lua is told."""
        text = json.dumps(self.request).encode()
        path = folder / f"{self.name.replace(' ', '-')}.body"
        path.write_bytes(text + self.blob)
        return [str(path), str(len(text))] if self.blob else [str(path)]


def seed(n_connections):
    one = {"name": "x", "datatype": "FP32", "shape": [1, 3], "data": [[1.0, 2.0, 3.0]]}
    name = f"seed, JSON, {n_connections} conn."
    return Workload(name, "linear", n_connections, {"inputs": [one]})


def identity(n_connections):
    values = [i / 16 for i in range(16)]
    one = {"name": "INPUT0", "datatype": "FP32", "shape": [16], "data": values}
    name = f"identity, JSON, {n_connections} conn."
    return Workload(name, "identity", n_connections, {"inputs": [one]})


def binary(size, title, n_connections):
    one = {
        "name": "INPUT0",
        "datatype": "FP32",
        "shape": [size // 4],
        "parameters": {"binary_data_size": size},
    }
    wanted = {"name": "OUTPUT0", "parameters": {"binary_data": True}}
    request = {"inputs": [one], "outputs": [wanted]}
    name = f"identity, {title}, {n_connections} conn."
    return Workload(name, "identity", n_connections, request, bytes(size))


def strings(n):
    """Strings of six bytes, both ways."""
    one = {
        "name": "INPUT0",
        "datatype": "BYTES",
        "shape": [n],
        "data": [f"{i:06}" for i in range(n)],
    }
    return Workload(f"{n} strings, JSON, 2 conn.", "bytes", 2, {"inputs": [one]})


def floats(n):
    """Numbers of six digits, both ways."""
    values = [i / 1000 for i in range(n)]
    one = {"name": "INPUT0", "datatype": "FP32", "shape": [n], "data": values}
    return Workload(f"{n} floats, JSON, 2 conn.", "identity", 2, {"inputs": [one]})


def events(n):
    """A stream of events, whose model does nothing but send them."""
    request = {"INPUT0": [0] * n}
    return Workload(f"{n} events, 1 conn.", "repeat", 1, request, how="generate_stream", least_s=6)


def batched(n_connections):
    one = {"name": "INPUT0", "datatype": "FP32", "shape": [1, 64], "data": [0.5] * 64}
    name = f"dynamic batching, {n_connections} conn."
    return Workload(name, "dense", n_connections, {"inputs": [one]})


def ensemble(n_connections):
    one = {"name": "INPUT0", "datatype": "FP32", "shape": [16], "data": [0.5] * 16}
    name = f"ensemble of three, {n_connections} conn."
    parts = ("first", "second", "third")
    return Workload(name, "pipeline", n_connections, {"inputs": [one]}, parts=parts)


def calls(n_connections):
    """A model that asks another one ten times, one after the other."""
    one = {"name": "INPUT0", "datatype": "FP32", "shape": [16], "data": [0.5] * 16}
    name = f"BLS of ten calls, {n_connections} conn."
    return Workload(name, "asks", n_connections, {"inputs": [one]}, parts=("asked",))


WORKLOADS = [
    *(seed(n) for n in (1, 16, 64)),
    *(identity(n) for n in (1, 16, 64)),
    binary(4096, "4 KB", 16),
    binary(2**20, "1 MB", 4),
    binary(2**24, "16 MB", 2),
    strings(10000),
    floats(100000),
    events(2000),
    batched(64),
    ensemble(1),
    ensemble(32),
    calls(1),
    calls(16),
]


def run(url, n_connections, seconds, arguments):
    """Runs wrk; returns what load.lua reports: counts, and latencies in microseconds."""
    command = [
        "wrk",
        "--threads=1",
        f"--connections={n_connections}",
        f"--duration={seconds}s",
        "--timeout=30s",
        f"--script={FOLDER / 'load.lua'}",
        url,
        "--",
        *arguments,
    ]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    (line,) = [line for line in output.splitlines() if line.startswith("{")]
    report = json.loads(line)
    report["rps"] = report["requests"] / (report["duration_us"] / 1e6)
    return report
