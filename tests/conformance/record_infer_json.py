"""Record what Triton answers to inference requests in JSON, good and bad.

    HC_ORACLE="command that runs tritonserver" python record_infer_json.py [group ...]

The command is called with a model repository and port options. Each group of infer_json_cases
becomes tests/unit/wire/recorded/<group>.json, one case a line, which the unit test wire/recorded
replays without a server: `status` 0 means that the server died of the request.
"""

import contextlib
import http.client
import json
import os
import pathlib
import shlex
import socket
import subprocess
import sys
import tempfile
import time

from infer_json_cases import GROUPS, TENSOR_TYPES

RECORDED = pathlib.Path(__file__).parents[1] / "unit/wire/recorded"

IDENTITY = """
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        return [
            pb_utils.InferenceResponse(
                [
                    pb_utils.Tensor(tensor.name().replace("IN", "OUT"), tensor.as_numpy())
                    for tensor in request.inputs()
                ]
            )
            for request in requests
        ]
"""

# What a model sees of a request besides its tensors.
ECHO = """
import json

import numpy
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        responses = []
        for request in requests:
            seen = [
                request.request_id(),
                request.correlation_id(),
                request.flags(),
                request.timeout(),
                json.loads(request.parameters()),
            ]
            text = json.dumps(seen, ensure_ascii=False, separators=(",", ":")).encode()
            text = numpy.array([text], dtype=object)
            responses.append(pb_utils.InferenceResponse([pb_utils.Tensor("OUT0", text)]))
        return responses
"""

# What a model sees of a request to generate.
SEEN = """
import json

import numpy
import triton_python_backend_utils as pb_utils


def seen(tensor):
    values = tensor.as_numpy()
    flat = values.ravel().tolist()
    flat = [v.decode() if isinstance(v, bytes) else v for v in flat]
    return [tensor.name(), list(values.shape), flat]


class TritonPythonModel:
    def execute(self, requests):
        responses = []
        for request in requests:
            inputs = sorted(map(seen, request.inputs()))
            everything = [request.request_id(), json.loads(request.parameters()), *inputs]
            text = json.dumps(everything, separators=(",", ":")).encode()
            values = numpy.array([[text]], dtype=object)
            responses.append(pb_utils.InferenceResponse([pb_utils.Tensor("SEEN", values)]))
        return responses
"""

SEEN_CONFIG = """
backend: "python"
max_batch_size: 8
input { name: "TEXT" data_type: TYPE_STRING dims: [1] optional: true }
input { name: "NUM" data_type: TYPE_INT32 dims: [-1] optional: true }
input { name: "MAT" data_type: TYPE_FP32 dims: [2, -1] optional: true }
input { name: "FIX" data_type: TYPE_FP64 dims: [3] optional: true }
input { name: "HALF" data_type: TYPE_FP16 dims: [1] optional: true }
output { name: "SEEN" data_type: TYPE_STRING dims: [1] }
"""

KEYWORD_CONFIG = """
backend: "python"
input { name: "parameters" data_type: TYPE_INT32 dims: [-1] optional: true }
output { name: "SEEN" data_type: TYPE_STRING dims: [1, 1] }
"""


def write_model(root, name, source, inputs, outputs):
    folder = root / name / "1"
    folder.mkdir(parents=True)
    (folder / "model.py").write_text(source)
    lines = ['backend: "python"']
    for kind, prefix, tensors in (("input", "IN", inputs), ("output", "OUT", outputs)):
        for i, (datatype, dims) in enumerate(tensors):
            datatype = "STRING" if datatype == "BYTES" else datatype
            name = f"{prefix}{i}"
            lines.append(f'{kind} {{ name: "{name}" data_type: TYPE_{datatype} dims: {dims} }}')
    (folder.parent / "config.pbtxt").write_text("\n".join(lines) + "\n")


def write_repository(root):
    for datatype in TENSOR_TYPES:
        tensors = [(datatype, [-1])]
        write_model(root, datatype.lower(), IDENTITY, tensors, tensors)
    pair = [("FP32", [-1]), ("INT32", [-1])]
    write_model(root, "pair", IDENTITY, pair, pair)
    write_model(root, "echo", ECHO, [("FP32", [-1])], [("BYTES", [-1])])
    for name, config in ("generate", SEEN_CONFIG), ("keyword", KEYWORD_CONFIG):
        write_model(root, name, SEEN, [], [])
        (root / name / "config.pbtxt").write_text(config)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Oracle:
    def __init__(self, repository):
        self.repository = repository
        self.process = None

    def start(self):
        self.port = free_port()
        ports = [f"--http-port={self.port}"]
        ports += [f"--{kind}-port={free_port()}" for kind in ("grpc", "metrics")]
        command = shlex.split(os.environ["HC_ORACLE"]) + [str(self.repository), *ports]
        command.append("--disable-auto-complete-config")
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        while self.get("/v2/health/ready") != 200:
            if self.process.poll() is not None:
                sys.exit("the server did not start")
            time.sleep(0.1)

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def get(self, path):
        with contextlib.suppress(OSError), contextlib.closing(self.connect()) as connection:
            connection.request("GET", path)
            return connection.getresponse().status

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def post(self, path, body):
        """Status, header length (None without one) and body; status 0 when the server died."""
        if self.process is None:
            self.start()
        try:
            with contextlib.closing(self.connect()) as connection:
                connection.request("POST", path, body)
                response = connection.getresponse()
                length = response.getheader("Inference-Header-Content-Length")
                return response.status, length, response.read()
        except (http.client.HTTPException, OSError):
            self.process.wait()
            self.process = None
            return 0, None, b""


def put(record, key, data):
    """Bytes as text where they are ASCII without a NUL, else in hexadecimal."""
    if data.isascii() and b"\0" not in data:
        record[key] = data.decode()
    else:
        record[key + "_hex"] = data.hex()


def record(oracle, group):
    names = set()
    lines = []
    for name, model, body in GROUPS[group]():
        assert name not in names, name
        names.add(name)
        body = body if isinstance(body, bytes) else body.encode()
        endpoint = "generate" if group == "generate" else "infer"
        status, header_length, answer = oracle.post(f"/v2/models/{model}/{endpoint}", body)
        line = {"name": name, "model": model, "status": status}
        put(line, "body", body)
        if status == 200:
            put(line, "answer", answer[: int(header_length or len(answer))])
        elif status != 0:
            line["error"] = json.loads(answer)["error"]
        lines.append(json.dumps(line))
    text = "[\n" + ",\n".join(lines) + "\n]\n"
    (RECORDED / f"{group}.json").write_text(text)
    print(f"{group}: {len(lines)} cases")


def main(groups):
    with tempfile.TemporaryDirectory() as folder:
        repository = pathlib.Path(folder)
        write_repository(repository)
        oracle = Oracle(repository)
        try:
            for group in groups or GROUPS:
                record(oracle, group)
        finally:
            oracle.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
