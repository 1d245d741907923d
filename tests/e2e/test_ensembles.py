"""Ensembles: models made of others, connected by named tensors."""

import concurrent.futures
import json

import pytest
import requests

from harness.infer import body, error_of, outputs, post, tensor

FLOATS = "data_type: TYPE_FP32 dims: [ 4 ]"
INT = "data_type: TYPE_INT32 dims: [ 1 ]"
TEXT = "data_type: TYPE_STRING dims: [ 1 ]"


def step(model, inputs, results):
    """A step that maps the model's inputs and outputs to tensors of the ensemble."""
    maps = [f'input_map {{ key: "{key}" value: "{value}" }}' for key, value in inputs.items()]
    maps += [f'output_map {{ key: "{key}" value: "{value}" }}' for key, value in results.items()]
    return f'step {{ model_name: "{model}" model_version: -1 {" ".join(maps)} }}'


def ensemble(inputs, results, *steps, max_batch_size=0):
    """A configuration; inputs and outputs by name, with the rest of their description."""
    lines = [
        'platform: "ensemble"',
        f"max_batch_size: {max_batch_size}",
        *(f'input {{ name: "{name}" {what} }}' for name, what in inputs.items()),
        *(f'output {{ name: "{name}" {what} }}' for name, what in results.items()),
        "ensemble_scheduling {",
        *steps,
        "}",
    ]
    return "\n".join(lines)


def add(repository, name, config):
    return repository.write(f"{name}/config.pbtxt", config).write(f"{name}/1/.keep", "")


# (A + B) and (A - B), then their sum 2A and their difference 2B.
DIAMOND = ensemble(
    {"A": FLOATS, "B": FLOATS},
    {"TWICE_A": FLOATS, "TWICE_B": FLOATS},
    step(
        "add_sub", {"INPUT0": "sum", "INPUT1": "dif"}, {"OUTPUT0": "TWICE_A", "OUTPUT1": "TWICE_B"}
    ),
    step("add_sub", {"INPUT0": "A", "INPUT1": "B"}, {"OUTPUT0": "sum", "OUTPUT1": "dif"}),
)
A = [1.0, 2.0, 3.0, 4.0]
B = [0.5, 0.25, -1.0, 8.0]
A_AND_B = [tensor("A", "FP32", [4], A), tensor("B", "FP32", [4], B)]


def twice(values):
    return [2 * value for value in values]


@pytest.fixture(scope="module")
def diamond(module_servers):
    repository = module_servers.repository().add("add_sub")
    return module_servers.start(add(repository, "diamond", DIAMOND))


def test_steps_run_in_the_order_of_their_tensors(diamond):
    answer = post(diamond, "diamond", body(*A_AND_B, id="seven"))
    assert outputs(answer) == {"TWICE_A": twice(A), "TWICE_B": twice(B)}
    assert answer.json()["model_name"] == "diamond"
    assert answer.json()["id"] == "seven"


def test_only_what_is_asked_for_is_answered(diamond):
    request = body(*A_AND_B, outputs=[{"name": "TWICE_B"}])
    assert outputs(post(diamond, "diamond", request)) == {"TWICE_B": twice(B)}


def test_many_requests_run_side_by_side(diamond):
    def ask(i):
        request = body(tensor("A", "FP32", [4], [i] * 4), tensor("B", "FP32", [4], [-i] * 4))
        return outputs(post(diamond, "diamond", request)) == {
            "TWICE_A": [2 * i] * 4,
            "TWICE_B": [-2 * i] * 4,
        }

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(300)))


def test_requests_are_held_against_the_ensembles_own_inputs(diamond):
    answer = post(diamond, "diamond", body(tensor("A", "FP32", [4], A)))
    assert answer.status_code == 400
    assert error_of(answer) == (
        "[request id: <id_unknown>] expected 2 inputs but got 1 inputs for model 'diamond'. Got "
        "input(s) ['A'], but missing required input(s) ['B']. Please provide all required "
        "input(s)."
    )


def test_ensembles_may_be_made_of_ensembles(servers):
    repository = servers.repository().add("add_sub")
    add(repository, "diamond", DIAMOND)
    outer = ensemble(
        {"A": FLOATS, "B": FLOATS},
        {"FOURFOLD_A": FLOATS},
        step("diamond", {"A": "A", "B": "B"}, {"TWICE_A": "a", "TWICE_B": "b"}),
        step("diamond", {"A": "a", "B": "b"}, {"TWICE_A": "FOURFOLD_A"}),
    )
    server = servers.start(add(repository, "outer", outer))
    answer = post(server, "outer", body(*A_AND_B))
    assert outputs(answer) == {"FOURFOLD_A": twice(twice(A))}


def test_optional_inputs_may_be_left_out(servers):
    config = ensemble(
        {"A": INT, "B": INT + " optional: true"},
        {"GIVEN": "data_type: TYPE_STRING dims: [ -1 ]"},
        step("optional", {"A": "A", "B": "B"}, {"GIVEN": "GIVEN"}),
    )
    server = servers.start(add(servers.repository().add("optional"), "some", config))
    one = tensor("A", "INT32", [1], [1])
    other = tensor("B", "INT32", [1], [1])
    assert outputs(post(server, "some", body(one, other))) == {"GIVEN": ["A", "B"]}
    assert outputs(post(server, "some", body(one))) == {"GIVEN": ["A"]}


def test_the_steps_are_told_what_the_client_said(servers):
    told = step("request_info", {"INPUT0": "IN"}, {"INFO": "INFO"})
    config = ensemble({"IN": INT}, {"INFO": TEXT}, told)
    server = servers.start(add(servers.repository().add("request_info"), "told", config))
    said = {"s": "text", "i": -5}
    meaning = {"sequence_id": 7, "sequence_start": True, "timeout": 10**6}
    request = body(tensor("IN", "INT32", [1], [1]), id="id 7", parameters={**said, **meaning})
    info = json.loads(outputs(post(server, "told", request))["INFO"][0])
    assert info == {
        "id": "id 7",
        "correlation_id": 7,
        "flags": 1,
        "timeout": 10**6,
        "parameters": said,
        "outputs": ["INFO"],
    }


def test_a_step_that_fails_fails_the_request(servers):
    config = ensemble(
        {"HOW": TEXT},
        {"OUT": INT},
        step("misbehaves", {"HOW": "HOW"}, {"OUTPUT0": "middle"}),
        step("stages", {"INPUT0": "middle"}, {"OUTPUT0": "OUT"}),
    )
    repository = servers.repository().add("misbehaves").add("stages")
    server = servers.start(add(repository, "fails", config))
    answer = post(server, "fails", body(tensor("HOW", "BYTES", [1], ["error:UNAVAILABLE"])))
    assert answer.status_code == 503
    assert error_of(answer) == "in ensemble 'fails', UNAVAILABLE from the model"
    answer = post(server, "fails", body(tensor("HOW", "BYTES", [1], ["raise"])))
    assert answer.status_code == 500
    assert error_of(answer).startswith(
        "in ensemble 'fails', Failed to process the request(s) for model 'misbehaves"
    )


def test_batches_go_through_a_batching_ensemble(servers):
    pair = "data_type: TYPE_INT32 dims: [ 2 ]"
    config = ensemble(
        {"IN": pair},
        {"OUT": pair, "ROWS": INT},
        step("batched", {"INPUT0": "IN"}, {"OUTPUT0": "middle"}),
        step("batched", {"INPUT0": "middle"}, {"OUTPUT0": "OUT", "ROWS": "ROWS"}),
        max_batch_size=4,
    )
    server = servers.start(add(servers.repository().add("batched"), "rows", config))
    request = body(tensor("IN", "INT32", [3, 2], [1, 2, 3, 4, 5, 6]))
    assert outputs(post(server, "rows", request)) == {"OUT": [1, 2, 3, 4, 5, 6], "ROWS": [3] * 3}
    answer = post(server, "rows", body(tensor("IN", "INT32", [5, 2], [0] * 10)))
    assert answer.status_code == 400


def test_batching_models_in_an_ensemble_without_batches(servers):
    pair = "data_type: TYPE_INT32 dims: [ 1, 2 ]"
    config = ensemble(
        {"IN": pair}, {"OUT": pair}, step("batched", {"INPUT0": "IN"}, {"OUTPUT0": "OUT"})
    )
    server = servers.start(add(servers.repository().add("batched"), "one", config))
    answer = post(server, "one", body(tensor("IN", "INT32", [1, 2], [1, 2])))
    assert outputs(answer) == {"OUT": [1, 2]}
    assert answer.json()["outputs"][0]["shape"] == [1, 2]


def test_large_tensors_go_through_unharmed(servers):
    n = 1_000_000
    floats = "data_type: TYPE_FP32 dims: [ -1 ]"
    config = ensemble(
        {"IN": floats},
        {"OUT": floats},
        *(
            step("identity", {"INPUT0": before}, {"OUTPUT0": after})
            for before, after in [("IN", "a"), ("a", "b"), ("b", "OUT")]
        ),
    )
    server = servers.start(add(servers.repository().add("identity"), "chain", config))
    values = [float(i % 4099) for i in range(n)]
    assert outputs(post(server, "chain", body(tensor("IN", "FP32", [n], values)))) == {
        "OUT": values
    }


def test_decoupled_steps_answer_more_than_once(servers):
    """Each response of the first step goes through the second on its own, in order."""
    numbers = "data_type: TYPE_INT32 dims: [ -1 ]"
    config = ensemble(
        {"IN": numbers},
        {"OUT": INT},
        step("repeat", {"INPUT0": "IN"}, {"VALUE": "value"}),
        step("stages", {"INPUT0": "value"}, {"OUTPUT0": "OUT"}),
    )
    repository = servers.repository().add("repeat").add("stages")
    server = servers.start(add(repository, "stream", config))

    def ask(values):
        url = f"{server.url}/v2/models/stream/generate_stream"
        lines = requests.post(url, json={"IN": values}, timeout=60).text.splitlines()
        return [json.loads(line.removeprefix("data:")) for line in lines if line]

    answers = ask([5, 3, 8, 1])
    assert [answer["OUT"] for answer in answers] == [5, 3, 8, 1]
    assert all(answer["model_name"] == "stream" for answer in answers)
    answers = ask([5, -1])
    assert answers[-1]["error"].startswith("in ensemble 'stream', ")


def test_ensembles_and_their_models_are_counted(diamond):
    def counts(model):
        answer = requests.get(f"{diamond.url}/v2/models/{model}/stats").json()["model_stats"][0]
        success = answer["inference_stats"]["success"]["count"]
        return answer["inference_count"], answer["execution_count"], success

    before = counts("diamond"), counts("add_sub")
    for _ in range(3):
        assert post(diamond, "diamond", body(*A_AND_B)).status_code == 200
    after = counts("diamond"), counts("add_sub")
    for (name, n), old, new in zip([("diamond", 3), ("add_sub", 6)], before, after, strict=True):
        assert [b - a for a, b in zip(old, new, strict=True)] == [n, n, n], name
