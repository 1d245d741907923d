"""Models that fail: what their clients are told, what the log keeps, and who else notices."""

import pytest
import requests

from harness.infer import body, error_of, outputs, post, tensor


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start(["misbehaves", "identity"])


def ask(server, how):
    return post(server, "misbehaves", body(tensor("HOW", "BYTES", [1], [how])))


def assert_usable(server):
    assert outputs(ask(server, "well"))["OUTPUT0"] == [1]
    answer = post(server, "identity", body(tensor("INPUT0", "FP32", [1], [7])))
    assert outputs(answer)["OUTPUT0"] == [7]
    assert requests.get(f"{server.url}/v2/health/ready", timeout=60).status_code == 200


RAISED = {
    "raise": (
        'ValueError: the model could not: "quoted", \\ and é',
        ["raise_deep_inside", "execute"],
    ),
    "raise-model-exception": ("TritonModelException: a model exception", ["execute"]),
    "exit": ("SystemExit: 5", ["execute"]),
    "complex-dtype": ("TritonModelException: NumPy dtype is not supported.", ["execute"]),
}


@pytest.mark.parametrize("how", RAISED)
def test_an_exception_reaches_the_client_with_its_traceback(server, how):
    text, functions = RAISED[how]
    answer = ask(server, how)
    assert answer.status_code == 500
    message, _, traceback = error_of(answer).partition("\n\nAt:\n")
    assert message.endswith(f", message: {text}")
    assert message.startswith("Failed to process the request(s) for model 'misbehaves_0")
    file = server.repository.path / "misbehaves" / "1" / "model.py"
    lines = traceback.splitlines()
    assert len(lines) == len(functions) and traceback.endswith("\n")
    for line, function in zip(lines, functions):
        assert line.startswith(f"  {file}(") and line.endswith(f"): {function}")
    assert_usable(server)


def test_an_exception_is_in_the_log(server):
    ask(server, "raise")
    assert server.output.wait_for("ValueError: the model could not")
    assert server.output.wait_for("raise_deep_inside")


def test_what_is_no_tensor_is_a_type_error(server):
    answer = ask(server, "list-as-tensor")
    assert answer.status_code == 500
    assert ", message: TypeError: __init__(): incompatible constructor arguments." in error_of(
        answer
    )
    assert_usable(server)


RETURNED = {
    "tuple": "Expected a list in the execute return, found type '<class 'tuple'>'.",
    "string": "Expected a list in the execute return, found type '<class 'str'>'.",
    "too-few": "Number of InferenceResponse objects do not match the number of InferenceRequest "
    "objects. InferenceRequest(s) size is:1, and InferenceResponse(s) size is:0\n",
    "too-many": "Number of InferenceResponse objects do not match the number of InferenceRequest "
    "objects. InferenceRequest(s) size is:1, and InferenceResponse(s) size is:2\n",
    "wrong-element": "Expected an 'InferenceResponse' object in the execute function return list, "
    "found type '<class 'str'>'.",
}


@pytest.mark.parametrize("how", RETURNED)
def test_what_execute_returns_is_checked(server, how):
    answer = ask(server, how)
    assert answer.status_code == 500
    instance, _, message = error_of(answer).partition(", message: ")
    assert instance.startswith("Failed to process the request(s) for model 'misbehaves_0")
    assert message == RETURNED[how]
    assert_usable(server)


CODES = {
    "UNKNOWN": 400,
    "INTERNAL": 500,
    "NOT_FOUND": 404,
    "INVALID_ARG": 400,
    "UNAVAILABLE": 503,
    "UNSUPPORTED": 501,
    "ALREADY_EXISTS": 400,
    "CANCELLED": 400,
}


@pytest.mark.parametrize("code", CODES)
def test_a_model_chooses_the_code_of_its_error(server, code):
    answer = ask(server, f"error:{code}")
    assert (answer.status_code, error_of(answer)) == (CODES[code], f"{code} from the model")


def test_an_error_without_a_code_is_internal(server):
    answer = ask(server, "default-error")
    assert (answer.status_code, error_of(answer)) == (500, "without a code")


@pytest.mark.parametrize("how", ["missing-output", "unknown-output"])
def test_only_outputs_that_are_configured_and_given_are_answered(server, how):
    answer = ask(server, how)
    assert answer.status_code == 200
    assert answer.text == '{"model_name":"misbehaves","model_version":"1","outputs":[]}'


def test_an_exception_in_finalize_is_logged_and_no_more(servers):
    repository = servers.repository()
    repository.add("stages", edit={'"none"': '"finalize"'})
    server = servers.start(repository)
    assert server.stop() == 0
    assert "stages: finalize was called" in server.log()
    assert "ValueError: could not say goodbye" in server.log()


def test_where_inputs_may_lie_is_a_yes_or_a_no(servers):
    repository = servers.repository()
    for name, value in {"one": "yes", "two": "no", "three": "YES"}.items():
        parameter = f'key: "FORCE_CPU_ONLY_INPUT_TENSORS" value {{ string_value: "{value}" }}'
        repository.add("identity", name=name, config=f"parameters {{ {parameter} }}\n")
    server = servers.start(repository, "--exit-on-error=false", "--strict-readiness=false")
    index = requests.post(f"{server.url}/v2/repository/index", timeout=60).json()
    reasons = {entry["name"]: entry.get("reason", "") for entry in index}
    assert (reasons["one"], reasons["two"]) == ("", "")
    assert "Incorrect value for FORCE_CPU_ONLY_INPUT_TENSORS: YES'" in reasons["three"]
