"""What is told of a death, and what readiness says until the instance is back."""

import os
import pathlib
import signal
import uuid

import pytest
import requests

from harness.infer import body, outputs, post, tensor
from test_crash import HEALS, WAYS, ask, pid_of, pid_when_served
from test_environments import wait_for

pytestmark = pytest.mark.hippocamp_only(HEALS)


# A build with AddressSanitizer has its own way with segmentation faults otherwise.
PLAIN = {"ASAN_OPTIONS": f"{os.environ.get('ASAN_OPTIONS', '')}:handle_segv=0"}


def ready(server, path="health"):
    return requests.get(f"{server.url}/v2/{path}/ready", timeout=60).status_code == 200


def index_entry(server, model):
    answer = requests.post(f"{server.url}/v2/repository/index", json={}, timeout=60)
    (entry,) = (entry for entry in answer.json() if entry["name"] == model)
    return entry


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ("SIGKILL", r"killed by signal 9 \(Killed\)\."),
        ("os._exit", r"exited with status 3\."),
        ("abort", r"killed by signal 6 \(Aborted\)\."),
        ("segmentation fault", r"killed by signal 11 \(Segmentation fault\)\."),
    ],
)
def test_the_log_tells_how_an_instance_ended(servers, way, reason):
    server = servers.start("crash", environment=PLAIN)
    ask(server, WAYS[way])
    assert server.output.wait_for(rf"Starting again: Stub process 'crash_0' .*{reason}")


def test_a_crash_shows_where_the_model_was(servers):
    server = servers.start("crash", environment=PLAIN)
    ask(server, WAYS["segmentation fault"])
    file = server.repository.path / "crash" / "1" / "model.py"
    last = rf"The last of its output:.*Segmentation fault.*{file}.*, line \d+ in end"
    assert server.output.wait_for(last), server.log()
    assert server.output.wait_for(rf'^  File "{file}", line \d+ in end')


def test_a_model_that_cannot_come_back_is_not_ready_until_it_does(servers):
    server = servers.start(["crash", "identity"])
    file = server.repository.path / "crash" / "1" / "model.py"
    good = file.read_text()
    pid = pid_of(server)
    file.write_text("import sys; print('this is the end'); sys.exit(7)\n")
    assert ready(server) and ready(server, "models/crash")
    os.kill(pid, signal.SIGKILL)
    assert server.output.wait_for("this is the end")
    wait_for(lambda: "SystemExit" in (index_entry(server, "crash").get("reason") or ""))
    assert index_entry(server, "crash")["state"] == "UNAVAILABLE"
    assert index_entry(server, "identity")["state"] == "READY"
    assert not ready(server) and not ready(server, "models/crash")
    assert ready(server, "models/identity")
    file.write_text(good)
    wait_for(lambda: ready(server))
    assert pid_when_served(server) != pid
    assert index_entry(server, "crash")["state"] == "READY"
    assert index_entry(server, "crash").get("reason") is None


def test_other_instances_keep_a_model_ready(servers):
    repository = servers.repository().add("crash", config="instance_group [{ count: 2 }]\n")
    server = servers.start(repository)
    file = repository.path / "crash" / "1" / "model.py"
    pid = pid_of(server)
    file.write_text("raise ValueError('not today')\n")
    os.kill(pid, signal.SIGKILL)
    assert server.output.wait_for("Starting again.*not today")
    assert ready(server) and ready(server, "models/crash")
    assert pid_of(server) != pid


def memory_group():
    """A new control group for memory; skips where none can be made."""
    for root in ("/sys/fs/cgroup/memory", "/sys/fs/cgroup"):
        group = pathlib.Path(root) / f"hippocamp-{uuid.uuid4().hex[:8]}"
        for limit in ("memory.limit_in_bytes", "memory.max"):
            try:
                group.mkdir(exist_ok=True)
                (group / limit).write_text(str(64 << 20))
                return group
            except OSError:
                continue
    pytest.skip("no control group can be made here")


HUNGRY = """import numpy as np
import triton_python_backend_utils as pb_utils

class TritonPythonModel:
    def execute(self, requests):
        self.eaten = [np.ones(1 << 20) for _ in range(64)]
        return [pb_utils.InferenceResponse([r.inputs()[0]]) for r in requests]
"""


def test_a_kill_for_want_of_memory_is_called_that(servers):
    group = memory_group()
    server = servers.start(
        servers.repository().add("identity").write("identity/1/model.py", HUNGRY)
    )
    try:
        (pid,) = (pid for pid in server.pids() if name_of(pid) == "identity_0")
        (group / "cgroup.procs").write_text(str(pid))
        answer = post(server, "identity", body(tensor("INPUT0", "FP32", [1], [1])))
        assert answer.status_code == 500
        assert "killed by signal 9 (Killed) when the system was out of memory" in answer.text
    finally:
        server.kill()
        group.rmdir()


def name_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return None  # it has ended meanwhile


def test_the_name_of_the_model_can_be_put_before_what_it_prints(servers):
    server = servers.start("talks", "--prefix-model-output=true")
    assert outputs(post(server, "talks", body(tensor("INPUT0", "BYTES", [1], ["hello"]))))
    for line in ["print hello", "stderr hello", "child hello", "MINE<DEBUG.talker>logging hello"]:
        assert server.output.wait_for(rf"^\[talks\] {line}$"), line


STUCK = """import time
import triton_python_backend_utils as pb_utils

class TritonPythonModel:
    def execute(self, requests):
        for request in requests:
            if request.inputs()[0].as_numpy()[0] == 13:
                self.think_for_ever()
        arrays = [request.inputs()[0].as_numpy() for request in requests]
        outputs = [pb_utils.Tensor("OUTPUT0", array) for array in arrays]
        return [pb_utils.InferenceResponse([output]) for output in outputs]

    def think_for_ever(self):
        while True:
            time.sleep(1)
"""


def test_a_stuck_instance_says_where_and_is_started_again(servers):
    timeout = 'parameters { key: "EXECUTION_TIMEOUT_SECONDS" value { string_value: "0.5" } }\n'
    repository = servers.repository().add("identity", config=timeout)
    server = servers.start(repository.write("identity/1/model.py", STUCK))
    answer = post(server, "identity", body(tensor("INPUT0", "FP32", [1], [13])))
    assert answer.status_code == 500
    assert "it was killed, since execute did not return within the time" in answer.text
    assert server.output.wait_for(r"The last of its output:.*line \d+ in think_for_ever")
    answer = post(server, "identity", body(tensor("INPUT0", "FP32", [1], [12])))
    assert outputs(answer)["OUTPUT0"] == [12]
