"""A server under test: how it is started, waited for, listened to and ended."""

import contextlib
import http.client
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
import uuid

from harness import processes
from harness.ports import free_port

ROOT = pathlib.Path(__file__).parents[3]
READY_TIMEOUT_S = 120
STOP_TIMEOUT_S = 60


class StartFailed(Exception):
    """The server ended before it was ready; the message is all that it printed."""


def command_of(kind):
    """The words that start a server of `kind`, before its options."""
    if kind == "oracle":
        command = os.environ.get("HC_ORACLE")
        assert command, "--server=oracle needs the command in the environment variable HC_ORACLE"
        return command.split()
    return [os.environ.get("HC_SERVER", str(ROOT / "build" / "bin" / "hippocamp"))]


def repository_words(kind, path):
    """NVIDIA's start script takes the repository as its first argument, servers as an option."""
    return [str(path)] if kind == "oracle" else [f"--model-repository={path}"]


def _environment():
    """That of the tests, with the Python for models first on PATH: the one of the tests, unless
    HC_MODEL_PYTHON names another."""
    python = os.environ.get("HC_MODEL_PYTHON", sys.executable)
    path = os.pathsep.join([os.path.dirname(python), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path}


class Output:
    """What the processes of a server print, collected by a thread a stream; tests wait for lines
    in it. `streams` maps a name to an open file."""

    def __init__(self, streams):
        self._lines = []
        self._changed = threading.Condition()
        self._n_open = len(streams)
        for name, stream in streams.items():
            threading.Thread(target=self._collect, args=(name, stream), daemon=True).start()

    def _collect(self, name, stream):
        with stream:
            for line in stream:
                with self._changed:
                    self._lines.append((name, line.decode("utf-8", "replace").rstrip("\n")))
                    self._changed.notify_all()
        with self._changed:
            self._n_open -= 1
            self._changed.notify_all()

    def text(self, stream=None):
        """All lines so far, of both streams or of the one named."""
        with self._changed:
            return "\n".join(line for name, line in self._lines if stream in (None, name))

    def wait_for(self, pattern, timeout_s=30):
        """Waits for a line that matches `pattern`; returns the match, None when none comes."""
        seek = re.compile(pattern)
        n_seen = 0
        give_up_at = time.monotonic() + timeout_s
        with self._changed:
            while True:
                for _, line in self._lines[n_seen:]:
                    if match := seek.search(line):
                        return match
                n_seen = len(self._lines)
                left_s = give_up_at - time.monotonic()
                if self._n_open == 0 or left_s <= 0:
                    return None
                self._changed.wait(left_s)

    def wait_for_end(self, timeout_s):
        """Waits until every process that held a stream has closed it; says whether all have."""
        with self._changed:
            return self._changed.wait_for(lambda: self._n_open == 0, timeout_s)


class Server:
    """A running server, ready when the constructor returns (unless `wait` is False)."""

    def __init__(self, kind, repository, options=(), wait=True, environment=None):
        self.kind = kind
        self.repository = repository
        self.http_port, self.grpc_port, self.metrics_port = (free_port() for _ in range(3))
        self.mark = uuid.uuid4().hex
        command = [
            *command_of(kind),
            *repository_words(kind, repository.path),
            f"--http-port={self.http_port}",
            f"--grpc-port={self.grpc_port}",
            f"--metrics-port={self.metrics_port}",
            *options,
        ]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**_environment(), **(environment or {}), processes.MARK: self.mark},
            start_new_session=True,
        )
        self.output = Output({"stdout": self.process.stdout, "stderr": self.process.stderr})
        if wait:
            self.wait_until_ready()

    @property
    def address(self):
        return f"127.0.0.1:{self.http_port}"

    @property
    def url(self):
        return f"http://{self.address}"

    def infer_url(self, model, version=None):
        middle = "" if version is None else f"/versions/{version}"
        return f"{self.url}/v2/models/{model}{middle}/infer"

    def log(self):
        """All that the server and its models printed."""
        return self.output.text()

    def wait_until_ready(self, path="/v2/health/ready"):
        """Waits until the server has said that it listens, and then until it answers."""
        give_up_at = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < give_up_at:
            if self.process.poll() is not None:
                self.finish()
                raise StartFailed(self.log())
            if self.output.wait_for("Started HTTPService at", timeout_s=0.2) and self.answers(path):
                return
            time.sleep(0.005)
        self.kill()
        raise StartFailed("not ready in time\n" + self.log())

    def answers(self, path):
        """Whether a GET of `path` is answered, and with 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def pids(self):
        """The ids of the server's process and of all that it started."""
        return processes.marked(self.mark)

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout_s=STOP_TIMEOUT_S):
        """Waits for the server to end by itself; returns its exit status."""
        return self.process.wait(timeout_s)

    def stop(self):
        """Ends the server as an operator does; returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_TIMEOUT_S)
        finally:
            self.finish()
        return status

    def kill(self):
        """Ends the server and whatever it left, by force."""
        for pid in self.pids() | {self.process.pid}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.finish()

    def finish(self):
        """Ends what an ended server left behind, and collects the last of its output."""
        for pid in self.pids() - {self.process.pid}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.output.wait_for_end(timeout_s=5)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.process.poll() is None:
            self.kill()


def start_patiently(kind, repository, options=(), how=None):
    """Starts a server. NVIDIA's sometimes dies of a lock of its own when the machine is busy; then
    it is tried again."""
    for _ in range(3):
        try:
            return Server(kind, repository, options, **(how or {}))
        except StartFailed as failure:
            if kind != "oracle" or "interprocess::lock_exception" not in str(failure):
                raise
            last_failure = failure
    raise last_failure
