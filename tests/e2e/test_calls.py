"""Business logic scripting: models that ask other models."""

import json

import pytest

from harness.infer import body, error_of, outputs, post, tensor
from harness.lasting import Lasting

MODELS = ["calls", "identity", "add_sub", "repeat"]


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start(MODELS)


def run(server, program, model="calls"):
    answer = post(server, model, body(tensor("PROGRAM", "BYTES", [1], [program])))
    return json.loads(outputs(answer)["RESULT"][0])


def test_a_model_asks_another(server):
    program = """
        array = np.arange(4, dtype=np.float32)
        return values(ask("add_sub", array, array, outputs=["OUTPUT0", "OUTPUT1"]).exec())
    """
    assert run(server, program) == {"OUTPUT0": [0, 2, 4, 6], "OUTPUT1": [0, 0, 0, 0]}


# What a program returns, and what it is expected to be: on both servers.
PROGRAMS = {
    "a coroutine asks several at once": (
        """
        arrays = [np.full(4, i, dtype=np.float32) for i in range(20)]
        answers = await asyncio.gather(*(ask("identity", a).async_exec() for a in arrays))
        return [values(answer)["OUTPUT0"][0] for answer in answers]
        """,
        [float(i) for i in range(20)],
    ),
    "a request may be asked twice": (
        """
        request = ask("identity", np.ones(2, dtype=np.float32))
        first = await request.async_exec()
        return [values(first), values(request.exec())]
        """,
        [{"OUTPUT0": [1.0, 1.0]}] * 2,
    ),
    "threads of the model ask": (
        """
        found = {}
        def work(i):
            for _ in range(20):
                found[i] = values(ask("identity", np.full(3, i, dtype=np.float32)).exec())
        threads = [threading.Thread(target=work, args=[i]) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [found[i]["OUTPUT0"][0] for i in range(4)]
        """,
        [0.0, 1.0, 2.0, 3.0],
    ),
    "large tensors": (
        """
        array = np.arange(1 << 20, dtype=np.float32)
        answer = ask("identity", array).exec().output_tensors()[0].as_numpy()
        again = ask("identity", answer).exec().output_tensors()[0].as_numpy()
        return [bool((answer == array).all()), bool((again == array).all())]
        """,
        [True, True],
    ),
    "empty tensors": (
        """
        return values(ask("identity", np.zeros(0, dtype=np.float32)).exec())
        """,
        {"OUTPUT0": []},
    ),
    "a decoupled model answers as often as it likes": (
        """
        request = ask("repeat", np.array([3, 1, 2], dtype=np.int32), outputs=["VALUE"])
        return [values(response) for response in request.exec(decoupled=True)]
        """,
        [{"VALUE": [3]}, {"VALUE": [1]}, {"VALUE": [2]}, {}],
    ),
    "its last answer may say that it is the last": (
        """
        request = ask(
            "repeat", np.array([3, 1], dtype=np.int32), outputs=["VALUE"],
            parameters={"flag": "with"},
        )
        return [values(response) for response in request.exec(decoupled=True)]
        """,
        [{"VALUE": [3]}, {"VALUE": [1]}],
    ),
    "an iterator goes on where it was, and begins again after its end": (
        """
        responses = ask("repeat", np.arange(4, dtype=np.int32), outputs=["VALUE"]).exec(
            decoupled=True
        )
        first = values(next(responses))["VALUE"][0]
        rest = [values(response).get("VALUE", [None])[0] for response in responses]
        again = [values(response).get("VALUE", [None])[0] for response in responses]
        return [first, rest, again]
        """,
        [0, [1, 2, 3, None], [0, 1, 2, 3, None]],
    ),
    "a coroutine awaits a decoupled model": (
        """
        request = ask("repeat", np.array([7, 8], dtype=np.int32), outputs=["VALUE"])
        responses = await request.async_exec(decoupled=True)
        return [values(response) for response in responses]
        """,
        [{"VALUE": [7]}, {"VALUE": [8]}, {}],
    ),
    "decoupled=True with a model that is not": (
        """
        array = np.ones(1, dtype=np.float32)
        return [values(r) for r in ask("identity", array).exec(decoupled=True)]
        """,
        [{"OUTPUT0": [1.0]}],
    ),
    "many answers": (
        """
        request = ask("repeat", np.ones(3000, dtype=np.int32), outputs=["VALUE"])
        return sum(len(response.output_tensors()) for response in request.exec(decoupled=True))
        """,
        3000,
    ),
    "an unknown model": (
        """
        response = ask("nobody", np.ones(1, dtype=np.float32)).exec()
        return [values(response), response.error().code().name, response.output_tensors()]
        """,
        [
            (
                "Model nobody - Error when running inference: Failed for execute the inference "
                "request. Model 'nobody' is not ready."
            ),
            "INTERNAL",
            [],
        ],
    ),
    "a missing input": (
        """
        response = ask("add_sub", np.ones(4, dtype=np.float32), request_id="7").exec()
        return [values(response), response.error().code().name]
        """,
        [
            (
                "Model add_sub - Error when running inference: [request id: 7] expected 2 inputs "
                "but got 1 inputs for model 'add_sub'. Got input(s) ['INPUT0'], but missing "
                "required input(s) ['INPUT1']. Please provide all required input(s)."
            ),
            "INTERNAL",
        ],
    ),
    "a wrong shape": (
        """
        arrays = [np.ones(n, dtype=np.float32) for n in (4, 5)]
        return values(ask("add_sub", *arrays).exec())
        """,
        (
            "Model add_sub - Error when running inference: [request id: <id_unknown>] "
            "unexpected shape for input 'INPUT1' for model 'add_sub'. Expected [4], got [5]. "
        ),
    ),
    "a decoupled model asked without decoupled=True": (
        """
        return values(ask("repeat", np.ones(1, dtype=np.int32), outputs=["VALUE"]).exec())
        """,
        (
            "Model repeat - Error when running inference: Model repeat is using the "
            "decoupled. The current BLS request call doesn't support models using the "
            "decoupled transaction policy. Please use 'decoupled=True' argument to the 'exec'"
            " or 'async_exec' calls for decoupled models.'"
        ),
    ),
    "async_exec outside of a coroutine": (
        """
        try:
            ask("identity", np.ones(1, dtype=np.float32)).async_exec()
        except Exception as error:
            return [type(error).__name__, str(error)]
        """,
        ["RuntimeError", "no running event loop"],
    ),
    "an unknown version": (
        """
        return values(ask("identity", np.ones(1, dtype=np.float32), model_version=9).exec())
        """,
        (
            "Model identity - Error when running inference: Failed for execute the inference "
            "request. Model 'identity' is not ready."
        ),
    ),
    "an unknown output": (
        """
        return values(ask("identity", np.ones(1, dtype=np.float32), outputs=["NONE"]).exec())
        """,
        (
            "Model identity - Error when running inference: unexpected inference output "
            "'NONE' for model 'identity'"
        ),
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(server, name):
    program, expected = PROGRAMS[name]
    assert run(server, program) == expected


@pytest.mark.hippocamp_only("NVIDIA's server waits forever")
def test_the_last_answer_of_a_decoupled_model_may_be_an_error(server):
    program = """
        request = ask(
            "repeat", np.array([3, -1], dtype=np.int32), outputs=["VALUE"],
            parameters={"flag": "with"},
        )
        return [values(response) for response in request.exec(decoupled=True)]
    """
    assert run(server, program) == [{"VALUE": [3]}, "no -1 here"]


SELF = """
        program = np.array(["{program}"], dtype=np.object_)
        request = pb_utils.InferenceRequest(
            model_name="calls", requested_output_names=["RESULT"],
            inputs=[pb_utils.Tensor("PROGRAM", program)],
        )
        answer = values(request.exec())
        return answer if isinstance(answer, str) else json.loads(answer["RESULT"][0])
    """


@pytest.mark.hippocamp_only("NVIDIA's server waits forever")
def test_a_call_that_could_never_be_answered_is_refused(server):
    error = run(server, SELF.format(program="return 1"))
    assert "every instance of model 'calls' waits for the answer to this call" in error
    assert run(server, "return 2") == 2


CALLS_AS_A_STEP = """
platform: "ensemble"
input [{ name: "PROGRAM" data_type: TYPE_STRING dims: [ 1 ] }]
output [{ name: "RESULT" data_type: TYPE_STRING dims: [ 1 ] }]
ensemble_scheduling { step [{
  model_name: "calls" model_version: -1
  input_map { key: "PROGRAM" value: "PROGRAM" }
  output_map { key: "RESULT" value: "RESULT" }
}] }
"""


@pytest.mark.hippocamp_only("NVIDIA's server waits forever")
def test_a_call_that_comes_back_through_another_model_is_refused(servers):
    repository = servers.repository().add("calls").add("calls", name="other")
    server = servers.start(repository)
    to_other = SELF.replace('"calls"', '"other"')
    back = SELF.format(program="return 1").replace('"', '\\"').replace("\n", "\\n")
    error = run(server, to_other.replace("{program}", back))
    assert "every instance of model 'calls' waits for the answer to this call" in error


def start_with_ensemble(servers):
    repository = servers.repository().add("calls").add("calls", name="other")
    repository.write("outer/config.pbtxt", CALLS_AS_A_STEP)
    (repository.path / "outer" / "1").mkdir()
    return servers.start(repository)


def test_an_ensemble_is_asked(servers):
    program = SELF.replace('"calls"', '"outer"').replace("{program}", "return 1")
    server = start_with_ensemble(servers)
    answer = post(server, "other", body(tensor("PROGRAM", "BYTES", [1], [program])))
    assert json.loads(outputs(answer)["RESULT"][0]) == 1


@pytest.mark.hippocamp_only("NVIDIA's server waits forever")
def test_a_call_that_comes_back_through_an_ensemble_is_refused(servers):
    server = start_with_ensemble(servers)
    error = run(server, SELF.replace('"calls"', '"outer"').format(program="return 1"))
    assert "every instance of model 'calls' waits for the answer to this call" in error
    assert run(server, "return 1") == 1


@pytest.mark.hippocamp_only("NVIDIA's server waits forever")
def test_a_call_of_a_coroutine_is_refused_likewise(server):
    program = SELF.replace("request.exec()", "await request.async_exec()")
    error = run(server, program.format(program="return 1"))
    assert "every instance of model 'calls' waits for the answer to this call" in error


def test_a_model_may_ask_itself(servers):
    repository = servers.repository().add("calls", config="instance_group [{ count: 2 }]")
    server = servers.start(repository)
    assert run(server, SELF.format(program="return 1")) == 1


@pytest.mark.hippocamp_only("NVIDIA's server does not heal")
def test_a_called_model_may_die(servers):
    server = servers.start(["calls", "crash"])
    program = """
        inputs = [pb_utils.Tensor("HOW", np.array([2], dtype=np.int32))]
        request = pb_utils.InferenceRequest(
            model_name="crash", requested_output_names=["PID"], inputs=inputs
        )
        return values(request.exec())
    """
    assert "crash_0" in run(server, program)
    assert run(server, "return 1") == 1


@pytest.mark.hippocamp_only("NVIDIA's server does not heal")
def test_a_caller_may_die(servers):
    """Its calls are answered to nobody; the model that is called goes on."""
    server = servers.start(["calls", "identity"])
    program = """
        import os
        async def many():
            for _ in range(100):
                ask("identity", np.zeros(100000, dtype=np.float32)).async_exec()
            os._exit(1)
        asyncio.run(many())
    """
    answer = post(server, "calls", body(tensor("PROGRAM", "BYTES", [1], [program])))
    assert "calls_0" in error_of(answer)
    other = post(server, "identity", body(tensor("INPUT0", "FP32", [1], [7])))
    assert outputs(other)["OUTPUT0"] == [7]


def test_models_load_and_unload_models(servers):
    options = ("--model-control-mode=explicit", "--load-model=calls")
    lasting = Lasting(lambda: servers.start(["calls", "identity"], *options))
    program = """
        def failure(function, *args, **more):
            try:
                return function(*args, **more)
            except pb_utils.TritonModelException as error:
                return str(error).split(":")[0]
        found = [pb_utils.is_model_ready("identity")]
        pb_utils.load_model(model_name="identity")
        found.append(pb_utils.is_model_ready(model_name="identity", model_version="1"))
        found.append(pb_utils.is_model_ready("identity", "2"))
        found.append(values(ask("identity", np.ones(1, dtype=np.float32)).exec()))
        pb_utils.unload_model("identity")
        found.append(failure(pb_utils.load_model, "nobody"))
        found.append(failure(pb_utils.is_model_ready, "identity", "x"))
        return found
    """
    assert lasting.ask(lambda server: run(server, program)) == [
        False,
        True,
        False,
        {"OUTPUT0": [1.0]},
        "Failed to load model",
        "Failed to check model readiness",
    ]


@pytest.mark.hippocamp_only("NVIDIA's server has no such backend")
def test_a_native_model_is_asked(servers):
    """One that needs no process may be done before anything is waited for."""
    native = {'backend: "python"': 'backend: "linear"'}
    server = servers.start(servers.repository().add("calls").add("linear", edit=native))
    program = """
        inputs = [pb_utils.Tensor("x", np.array([[1, 2, 3]], dtype=np.float32))]
        request = pb_utils.InferenceRequest(
            model_name="linear", requested_output_names=["y"], inputs=inputs
        )
        return [values(request.exec()) for _ in range(50)]
    """
    assert run(server, program) == [{"y": [[1.625]]}] * 50
