"""Record what Triton makes of model configurations, good and bad.

    HC_ORACLE="command that runs tritonserver" python record_configs.py [name ...]

The command is called with a model repository and options. Each tests/unit/model/configs/NAME.pbtxt
becomes a model of a Python backend that does nothing; next to it go

    NAME.json   its answer to /v2/models/NAME/config, when the model loads;
    NAME.error  else the reason from the log. A second line is what protobuf says of the text.

The unit test model/recorded reads them. Lines of a config that begin with `#!` say what else there
is in the model's folder:

    #! files: 1/model.py 1/entry.py=model labels.txt data=12
        the files, `=model` with a model in it (as model.py has anyway), `=12` of 12 zeros;
        1/model.py alone unless said;
    #! no config         no config.pbtxt in the folder;
    #! no auto-complete  the server runs with --disable-auto-complete-config.
"""

import contextlib
import http.client
import json
import os
import pathlib
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import time

CONFIGS = pathlib.Path(__file__).parents[1] / "unit/model/configs"

MODEL = """
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        return [pb_utils.InferenceResponse([]) for _ in requests]
"""


def directives(text):
    return [line[2:].strip() for line in text.splitlines() if line.startswith("#!")]


def files_of(text):
    for directive in directives(text):
        if directive.startswith("files:"):
            return directive.removeprefix("files:").split()
    return ["1/model.py"]


def write_model(folder, text):
    for file in files_of(text):
        path, _, content = file.partition("=")
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        if content == "model" or path.endswith("/model.py"):
            (folder / path).write_text(MODEL)
        else:
            (folder / path).write_bytes(bytes(int(content or 0)))
    if "no config" not in directives(text):
        (folder / "config.pbtxt").write_bytes(text.encode("utf-8", "surrogateescape"))


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Oracle:
    def __init__(self, repository, log, *options):
        self.log = log
        self.port = free_port()
        ports = [f"--http-port={self.port}"]
        ports += [f"--{kind}-port={free_port()}" for kind in ("grpc", "metrics")]
        command = shlex.split(os.environ["HC_ORACLE"]) + [str(repository), *ports, *options]
        command.append("--model-control-mode=explicit")
        with open(log, "wb") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output)
        while self.request("GET", "/v2/health/ready")[0] != 200:
            if self.process.poll() is not None:
                sys.exit("the server did not start")
            time.sleep(0.1)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def request(self, method, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.suppress(OSError), contextlib.closing(connection):
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, response.read()
        return 0, b""

    def load(self, name):
        """The config, or None and what the log and the answer tell."""
        log_size = self.log.stat().st_size
        status, body = self.request("POST", f"/v2/repository/models/{name}/load")
        if status == 200:
            _, config = self.request("GET", f"/v2/models/{name}/config")
            self.request("POST", f"/v2/repository/models/{name}/unload")
            return config, None
        log = self.log.read_bytes()[log_size:].decode("utf-8", "replace")
        return None, (log, json.loads(body)["error"] if body else "the server died")


def reason(name, log, answer):
    """What the log gives as reason for the failure of this model, else what the answer does."""
    for pattern in (
        rf"Poll failed for model directory '{re.escape(name)}': (.*)\"$",
        rf"failed to load '{re.escape(name)}' version \d+: (.*)\"$",
    ):
        match = re.search(pattern, log, re.MULTILINE)
        if match:
            return json.loads(f'"{match[1]}"')
    return answer


def record(name, config, failure, repository):
    for suffix in (".json", ".error"):
        (CONFIGS / f"{name}{suffix}").unlink(missing_ok=True)
    if config is not None:
        (CONFIGS / f"{name}.json").write_bytes(config + b"\n")
        return
    lines = [reason(name, *failure).rstrip("\n")]
    protobuf = re.search(
        r"Error parsing text-format inference\.ModelConfig: (.*)$", failure[0], re.M
    )
    if protobuf:
        lines.append("protobuf: " + protobuf[1])
    text = "\n".join(lines).replace(str(repository), "REPOSITORY")
    (CONFIGS / f"{name}.error").write_text(text + "\n")


def main():
    texts = {
        path.name.removesuffix(".pbtxt"): path.read_bytes().decode("utf-8", "surrogateescape")
        for path in sorted(CONFIGS.glob("*.pbtxt"))
    }
    chosen = sys.argv[1:] or list(texts)
    with tempfile.TemporaryDirectory() as folder:
        repository = pathlib.Path(folder, "repository")
        for name, text in texts.items():
            write_model(repository / name, text)
        for strict in (False, True):
            names = [n for n in chosen if ("no auto-complete" in directives(texts[n])) == strict]
            if not names:
                continue
            options = ["--disable-auto-complete-config"] if strict else []
            oracle = Oracle(repository, pathlib.Path(folder, "log"), *options)
            try:
                for name in names:
                    record(name, *oracle.load(name), repository)
            finally:
                oracle.stop()


main()
