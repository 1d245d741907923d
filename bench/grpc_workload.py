"""The gRPC calls that are measured, and how h2load sends them."""

import contextlib
import dataclasses
import statistics
import struct
import subprocess
import uuid
from multiprocessing import shared_memory

import grpc
from tritonclient.grpc import service_pb2 as pb

SERVICE = "/inference.GRPCInferenceService/"
PREFIX_SIZE = 5
TIMEOUT_S = 60
VIEWS_INPUTS = 'parameters { key: "VIEW_SHARED_MEMORY_INPUTS" value { string_value: "yes" } }\n'


def tensor(message, name, datatype, shape, data=None):
    """Adds an input to a ModelInferRequest; without data it is in shared memory."""
    one = message.inputs.add(name=name, datatype=datatype, shape=shape)
    if data is not None:
        message.raw_input_contents.append(data)
    return one


def place(one, region, offset, size):
    """Says where in shared memory an input or output is."""
    one.parameters["shared_memory_region"].string_param = region
    one.parameters["shared_memory_offset"].int64_param = offset
    one.parameters["shared_memory_byte_size"].int64_param = size


@dataclasses.dataclass(frozen=True)
class GrpcWorkload:
    """One call, made over and over by a number of connections."""

    name: str
    model: str
    n_connections: int
    message: pb.ModelInferRequest
    method: str = "ModelInfer"
    n_answers: int = 1  # to each call
    n_calls: int = 0  # to make, however long they take; 0: as many as fit into the time
    region_size: int = 0  # of the shared memory that it needs, registered by the model's name
    config: str = ""  # for the model, besides its own

    def add_to(self, repository):
        repository.add(self.model.split("_")[0], name=self.model, config=self.config)

    def load(self, server, folder, seconds, warm_up_s):
        """Counts, and latencies in microseconds."""
        body = self.message.SerializeToString()
        path = folder / f"{self.name.replace(' ', '-')}.body"
        path.write_bytes(struct.pack(">BI", 0, len(body)) + body)
        with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
            with self._registered_memory(channel):
                self._check(channel, body)
                self._run(server, path, warm_up_s)
                return self._run(server, path, seconds)

    @contextlib.contextmanager
    def _registered_memory(self, channel):
        if self.region_size == 0:
            yield
            return
        key = f"hippocamp-bench-{uuid.uuid4().hex}"
        memory = shared_memory.SharedMemory(key, create=True, size=self.region_size)
        memory.buf[:] = bytes(self.region_size)
        try:
            request = pb.SystemSharedMemoryRegisterRequest(
                name=self.model, key=f"/{key}", byte_size=self.region_size
            )
            register = channel.unary_unary(SERVICE + "SystemSharedMemoryRegister")
            register(request.SerializeToString(), timeout=TIMEOUT_S)
            yield
        finally:
            memory.close()
            memory.unlink()

    def _check(self, channel, body):
        """Makes the call once: h2load does not look at what it is answered."""
        call = channel.stream_stream(SERVICE + self.method)(iter([body]), timeout=TIMEOUT_S)
        answers = list(call)
        assert len(answers) == self.n_answers, f"{self.name}: {len(answers)} answers"

    def _run(self, server, path, seconds):
        log = path.with_suffix(".log")
        log.unlink(missing_ok=True)
        command = [
            "h2load",
            f"--clients={self.n_connections}",
            f"--requests={self.n_calls}" if self.n_calls else f"--duration={seconds}s",
            f"--data={path}",
            "--header=content-type: application/grpc",
            "--header=te: trailers",
            f"--log-file={log}",
            f"http://127.0.0.1:{server.grpc_port}{SERVICE}{self.method}",
        ]
        subprocess.run(command, check=True, capture_output=True)
        rows = [line.split("\t") for line in log.read_text().splitlines()]
        times_us = sorted(int(row[2]) for row in rows if row[1] == "200")
        assert times_us, f"{self.name}: no call ended within {seconds} s"
        return {
            "failed": len(rows) - len(times_us),
            # of connections that always wait for an answer
            "rps": 1e6 * self.n_connections / statistics.mean(times_us),
            "p50_us": times_us[len(times_us) // 2],
            "p99_us": times_us[len(times_us) * 99 // 100],
        }


def seed(n_connections):
    message = pb.ModelInferRequest(model_name="linear")
    tensor(message, "x", "FP32", [1, 3], struct.pack("<3f", 1, 2, 3))
    return GrpcWorkload(f"gRPC: seed, {n_connections} conn.", "linear", n_connections, message)


def identity(size, title, n_connections):
    message = pb.ModelInferRequest(model_name="identity")
    tensor(message, "INPUT0", "FP32", [size // 4], bytes(size))
    name = f"gRPC: identity, {title}, {n_connections} conn."
    return GrpcWorkload(name, "identity", n_connections, message)


def shared_identity(size, title, how="", config=""):
    """One tensor in shared memory, and the same one back."""
    model = f"identity_{how}".strip("_")
    message = pb.ModelInferRequest(model_name=model)
    place(tensor(message, "INPUT0", "FP32", [size // 4]), model, 0, size)
    place(message.outputs.add(name="OUTPUT0"), model, size, size)
    name = f"gRPC: identity, {title} {how} in shared memory, 1 conn.".replace("  ", " ")
    return GrpcWorkload(name, model, 1, message, region_size=2 * size, config=config)


def stream(n):
    """A stream of small responses, whose model does nothing but send them."""
    message = pb.ModelInferRequest(model_name="repeat")
    tensor(message, "INPUT0", "INT32", [n], bytes(4 * n))
    name = f"gRPC: {n} responses, 1 conn."
    return GrpcWorkload(name, "repeat", 1, message, "ModelStreamInfer", n_answers=n, n_calls=5)


WORKLOADS = [
    *(seed(n) for n in (1, 16)),
    identity(2**20, "1 MB", 4),
    shared_identity(2**24, "16 MB"),
    shared_identity(2**24, "16 MB", "viewed", VIEWS_INPUTS),
    stream(10000),
]
