"""Children that a model has forked ask other models, as the model itself does."""

import json
import os
import textwrap

import pytest

from harness.control import wait_until
from harness.infer import body, outputs, post, tensor
from harness.lasting import Lasting

# What programs begin with: `in_child` runs a function in a child, and gives what that returned.
PRELUDE = """
import multiprocessing, os, signal

def in_child(function):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            result = function()
        except BaseException as error:
            result = [type(error).__name__, str(error)]
        os.write(writer, json.dumps(result).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        text = file.read()
    os.waitpid(pid, 0)
    return json.loads(text) if text else None

def first(i):
    array = np.full(3, i, dtype=np.float32)
    return values(ask("identity", array).exec())["OUTPUT0"][0]
"""

MODELS = ["calls", "identity", "repeat"]


ASK_ITSELF = """
def ask_itself():
    request = pb_utils.InferenceRequest(
        model_name="calls",
        requested_output_names=["RESULT"],
        inputs=[pb_utils.Tensor("PROGRAM", np.array(["return 1"], dtype=np.object_))],
    )
    return values(request.exec())
return in_child(ask_itself)
"""


@pytest.mark.hippocamp_only("NVIDIA's server waits forever")
def test_a_child_whose_call_could_never_be_answered_is_told(server):
    assert "every instance of model 'calls' waits" in run(server, ASK_ITSELF)


@pytest.fixture(scope="module")
def lasting(module_servers):
    return Lasting(lambda: module_servers.start(MODELS))


@pytest.fixture
def server(lasting):
    return lasting.server


def run(server, program):
    text = PRELUDE + textwrap.dedent(program)
    answer = post(server, "calls", body(tensor("PROGRAM", "BYTES", [1], [text])))
    return json.loads(outputs(answer)["RESULT"][0])


# What a program returns, and what it is expected to be: on both servers.
PROGRAMS = {
    "a child asks": (
        """
        return [in_child(lambda: [first(i) for i in range(50)]), first(1)]
        """,
        [[float(i) for i in range(50)], 1.0],
    ),
    "a pool of children asks": (
        """
        with multiprocessing.get_context("fork").Pool(4) as pool:
            return pool.map(ask_first, range(40))
        """,
        [float(i) for i in range(40)],
    ),
    "an error": (
        """
        return in_child(lambda: values(ask("nobody", np.ones(1, dtype=np.float32)).exec()))
        """,
        (
            "Model nobody - Error when running inference: Failed for execute the inference "
            "request. Model 'nobody' is not ready."
        ),
    ),
    "large tensors, inherited and new": (
        """
        inherited = np.arange(1 << 20, dtype=np.float32)
        def work():
            new = np.arange(1 << 20, dtype=np.float32)
            found = []
            for array in (inherited, new):
                answer = ask("identity", array).exec().output_tensors()[0].as_numpy()
                again = ask("identity", answer).exec().output_tensors()[0].as_numpy()
                found.append(bool((again == array).all()))
            return found
        return [in_child(work), work()]
        """,
        [[True, True], [True, True]],
    ),
    "parent and child ask at the same time": (
        """
        def many():
            return sum(first(1) for _ in range(200))
        found = []
        threads = [threading.Thread(target=lambda: found.append(in_child(many))) for _ in range(3)]
        for thread in threads:
            thread.start()
        own = many()
        for thread in threads:
            thread.join()
        return [own, found]
        """,
        [200.0, [200.0] * 3],
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(lasting, name):
    program, expected = PROGRAMS[name]
    assert lasting.ask(lambda server: run(server, program)) == expected


# What NVIDIA's server does not do.
OWN_PROGRAMS = {
    "a decoupled model": (
        """
        def work():
            request = ask("repeat", np.arange(3, dtype=np.int32), outputs=["VALUE"])
            return [values(response).get("VALUE") for response in request.exec(decoupled=True)]
        return in_child(work)
        """,
        [[0], [1], [2], None],
    ),
    "coroutines": (
        """
        async def ask_all():
            arrays = [np.full(1, i, dtype=np.float32) for i in range(20)]
            return await asyncio.gather(*(ask("identity", a).async_exec() for a in arrays))
        return in_child(lambda: [values(r)["OUTPUT0"][0] for r in asyncio.run(ask_all())])
        """,
        [float(i) for i in range(20)],
    ),
    "a child of a child": (
        """
        return in_child(lambda: [first(1), in_child(lambda: [first(2), first(3)]), first(4)])
        """,
        [1.0, [2.0, 3.0], 4.0],
    ),
    "what the parent has asked for stays the parent's": (
        """
        request = ask("repeat", np.arange(3, dtype=np.int32), outputs=["VALUE"])
        responses = request.exec(decoupled=True)
        next(responses)
        child = in_child(lambda: [first(1), len(list(responses))])
        return [child, len(list(responses))]
        """,
        [
            [
                "TritonModelException",
                "the responses go to the process that has asked for them",
            ],
            3,
        ],
    ),
    "children that die in the middle": (
        """
        def work():
            for _ in range(20):
                ask("identity", np.zeros(100000, dtype=np.float32)).exec()
            threading.Thread(target=lambda: [first(1) for _ in range(1000)], daemon=True).start()
            os.kill(os.getpid(), signal.SIGKILL)
        return [[in_child(work) for _ in range(10)], first(1)]
        """,
        [[None] * 10, 1.0],
    ),
}


@pytest.mark.hippocamp_only("NVIDIA's server does not do this, or waits for ever")
@pytest.mark.parametrize("name", OWN_PROGRAMS)
def test_programs_of_our_own(server, name):
    program, expected = OWN_PROGRAMS[name]
    assert run(server, program) == expected


def open_files(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


@pytest.mark.hippocamp_only("about the server's own memory")
def test_children_that_have_ended_leave_nothing_behind(server):
    program = "return [in_child(lambda: first(1)) for _ in range(20)]"
    run(server, program)
    before = open_files(server)
    assert run(server, program) == [1.0] * 20
    wait_until(lambda: open_files(server) <= before, "files to be closed")
