"""Carries out the Dockerfile without a container engine, and tries the image that it makes.

Every stage begins as a bare Debian 12 (tools/bare-root.sh) and is changed by the instructions in
turn; the build context is what is committed. The last stage is then run as an engine would: as its
user, with 64 MB of shared memory. Needs root, mmdebstrap, and the ports 8000 to 8002.
"""

import dataclasses
import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).parent.parent
URL = "http://127.0.0.1:8000"
READY_TIMEOUT_S = 60
TENSOR_SIZE = 128 * 2**20


@dataclasses.dataclass
class Stage:
    """A root file system and what the instructions so far have said about it."""

    root: pathlib.Path
    folder: str = "/"
    user: str = "root"
    environment: dict = dataclasses.field(default_factory=dict)
    entrypoint: list = dataclasses.field(default_factory=list)
    command: list = dataclasses.field(default_factory=list)
    health: list = dataclasses.field(default_factory=list)


def shell(function, *words, **how):
    """Calls a function of tools/bare-root.sh."""
    line = f'. tools/bare-root.sh; {function} "$@"'
    return subprocess.Popen(["bash", "-euc", line, "-", *map(str, words)], cwd=ROOT, **how)


def check(process):
    if process.wait() != 0:
        sys.exit(f"failed: {process.args}")


def inside(stage, command, **how):
    """Starts a line of shell in the stage."""
    settings = "".join(f"export {k}={shlex.quote(v)}; " for k, v in stage.environment.items())
    line = f"{settings}cd {shlex.quote(stage.folder)} && {command}"
    return shell("in_root", stage.root, stage.user, line, **how)


def instructions(path):
    """Pairs of instruction and arguments, continued lines joined, comments left out."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            name, _, rest = line.strip().partition(" ")
            yield name.upper(), rest.strip()


def copy(stages, stage, context, words):
    source_root = context
    if words[0].startswith("--from="):
        source_root = stages[words.pop(0).removeprefix("--from=")].root
    *sources, target = words
    target = stage.root / (pathlib.Path(stage.folder) / target).relative_to("/")
    for name in sources:
        name = name.strip("/")
        for source in [source_root] if name == "." else sorted(source_root.glob(name)):
            if source.is_dir():
                shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
            else:
                target.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)


def carry_out(stages, stage, context, name, rest):
    print(f"== {name} {rest}", flush=True)
    if name == "RUN":
        check(inside(stage, rest))
    elif name == "COPY":
        copy(stages, stage, context, shlex.split(rest))
    elif name == "WORKDIR":
        stage.folder = rest
        (stage.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
    elif name == "ENV":
        key, _, value = rest.partition("=")
        stage.environment[key] = value
    elif name == "USER":
        stage.user = rest.partition(":")[0]
    elif name == "ENTRYPOINT":
        stage.entrypoint = json.loads(rest)
    elif name == "CMD":
        stage.command = json.loads(rest)
    elif name == "HEALTHCHECK":
        stage.health = json.loads(rest.partition("CMD ")[2])
    elif name != "EXPOSE":
        sys.exit(f"unknown instruction: {name}")


def build(folder):
    """Carries out the Dockerfile; returns the last stage."""
    context = folder / "context"
    context.mkdir()
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True)
    subprocess.run(["tar", "-x", "-C", context], input=archive.stdout, check=True)
    bare = folder / "bare"
    check(shell("bare_root", bare))
    stages, stage = {}, None
    for name, rest in instructions(context / "Dockerfile"):
        if name == "FROM":
            stage = Stage(folder / f"stage-{len(stages)}")
            subprocess.run(["cp", "-a", bare, stage.root], check=True)
            stages[rest.partition(" AS ")[2] or "last"] = stage
        else:
            carry_out(stages, stage, context, name, rest)
    return stage


def is_healthy(stage):
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return inside(stage, shlex.join(stage.health), **quiet).wait() == 0


def infer(size):
    """Sends a tensor twice the size of the shared memory and gets it back."""
    request = {
        "inputs": [
            {
                "name": "INPUT0",
                "datatype": "FP32",
                "shape": [size // 4],
                "parameters": {"binary_data_size": size},
            }
        ],
        "outputs": [{"name": "OUTPUT0", "parameters": {"binary_data": True}}],
    }
    text, blob = json.dumps(request).encode(), b"\x01" * size
    headers = {"Inference-Header-Content-Length": str(len(text))}
    url = f"{URL}/v2/models/identity/infer"
    with urllib.request.urlopen(urllib.request.Request(url, text + blob, headers)) as answer:
        assert answer.read().endswith(blob), "the tensor did not come back"


def stop_servers(stage):
    found = shell("servers_in", stage.root, stdout=subprocess.PIPE, text=True).communicate()[0]
    for pid in map(int, found.split()):
        assert os.stat(f"/proc/{pid}").st_uid != 0, "the server runs as root"
        os.kill(pid, signal.SIGTERM)


def try_image(stage):
    """Runs the image on the model `identity`: healthy, at work, not as root."""
    models = stage.root / "models"
    shutil.copytree(ROOT / "tests" / "repositories" / "identity", models / "identity")
    server = inside(stage, "exec " + shlex.join(stage.entrypoint + stage.command))
    try:
        give_up_at = time.monotonic() + READY_TIMEOUT_S
        while not is_healthy(stage):
            assert server.poll() is None, "the server ended"
            assert time.monotonic() < give_up_at, "not healthy in time"
        infer(TENSOR_SIZE)
    finally:
        stop_servers(stage)
        status = server.wait()
    assert status == 0, f"the server ended with {status}"
    assert not is_healthy(stage)


def main():
    with tempfile.TemporaryDirectory(prefix="hippocamp-image.", dir="/var/tmp") as folder:
        stage = build(pathlib.Path(folder))
        size = subprocess.run(["du", "-sm", stage.root], check=True, capture_output=True, text=True)
        try_image(stage)
        print(f"the image works; {size.stdout.split()[0]} MB")


if __name__ == "__main__":
    main()
