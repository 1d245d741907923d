"""Implicit state: what the server keeps for a sequence, and gives its next request as an input."""

import concurrent.futures
import random
import re
import struct

import pytest

from harness.infer import body, error_of, outputs, post, tensor

MODEL = "remembers"

pytestmark = pytest.mark.hippocamp_only("NVIDIA's Python backend keeps no state")

DIRECT = "direct { }"
OLDEST = "oldest { max_candidate_sequences: 4 }"
BOTH = pytest.mark.parametrize("strategy", [DIRECT, OLDEST], ids=["direct", "oldest"])


def state(input_name, output_name, dims, initial="", data_type="TYPE_INT32"):
    if initial:
        size, data = initial
        initial = (
            f'initial_state [{{ name: "first" data_type: {data_type} dims: [ {size} ] {data} }}]'
        )
    return (
        f'state [{{ input_name: "{input_name}" output_name: "{output_name}" '
        f"data_type: {data_type} dims: [ {dims} ] {initial} }}]"
    )


def batching(strategy, total_initial="", log_initial=(2, "zero_data: true"), idle_us=5_000_000):
    return "\n".join(
        [
            "\nsequence_batching {",
            f"max_sequence_idle_microseconds: {idle_us}",
            strategy,
            state("TOTAL", "NEW_TOTAL", 1, total_initial),
            state("LOG_SO_FAR", "LOG", -1, log_initial),
            "}\n",
        ]
    )


def start(servers, strategy=DIRECT, n_instances=1, **fields):
    config = batching(strategy, **fields)
    config += f"instance_group [{{ count: {n_instances} kind: KIND_CPU }}]\n"
    return servers.start(servers.repository().add(MODEL, config=config))


def send(server, value, name, begins=False, ends=False, wanted=None):
    parameters = {"sequence_id": name, "sequence_start": begins, "sequence_end": ends}
    more = {} if wanted is None else {"outputs": [{"name": one} for one in wanted]}
    request = body(tensor("INPUT", "INT32", [1, 1], [value]), parameters=parameters, **more)
    return post(server, MODEL, request)


@BOTH
def test_a_sequence_goes_on_with_what_it_left(servers, strategy):
    server = start(servers, strategy)
    answers = [
        outputs(send(server, 5, 42, begins=True)),
        outputs(send(server, 6, 42)),
        outputs(send(server, 7, 42, ends=True)),
        outputs(send(server, 8, 42, begins=True, ends=True)),
    ]
    assert [answer["SUM"] for answer in answers] == [[5], [11], [18], [8]]
    logs = [[0, 0, 5], [0, 0, 5, 6], [0, 0, 5, 6, 7], [0, 0, 8]]
    assert [answer["LOG"] for answer in answers] == logs
    assert all("NEW_TOTAL" not in answer for answer in answers)


def test_states_are_kept_whatever_outputs_are_asked_for(servers):
    server = start(servers)
    assert outputs(send(server, 5, 1, begins=True, wanted=["SUM"])) == {"SUM": [5]}
    assert outputs(send(server, 6, 1, wanted=["LOG"])) == {"LOG": [0, 0, 5, 6]}
    answer = send(server, 6, 1, wanted=["NEW_TOTAL"])
    assert answer.status_code == 400
    assert error_of(answer) == f"unexpected inference output 'NEW_TOTAL' for model '{MODEL}'"


@BOTH
def test_many_sequences_at_a_time_keep_to_themselves(servers, strategy):
    server = start(servers, strategy, n_instances=2)

    def run(name):
        values = [random.randrange(100) for _ in range(20)]
        last = len(values) - 1
        answers = [
            outputs(send(server, value, name, begins=i == 0, ends=i == last))
            for i, value in enumerate(values)
        ]
        sums = [sum(values[: i + 1]) for i in range(len(values))]
        logs = [[0, 0, *values[: i + 1]] for i in range(len(values))]
        return [a["SUM"][0] for a in answers] == sums and [a["LOG"] for a in answers] == logs

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        assert all(pool.map(run, range(1, 25)))


@BOTH
def test_a_sequence_that_starts_again_starts_with_the_initial_state(servers, strategy):
    server = start(servers, strategy)
    assert outputs(send(server, 5, 1, begins=True))["SUM"] == [5]
    assert outputs(send(server, 6, 1, begins=True))["LOG"] == [0, 0, 6]
    assert outputs(send(server, 7, 1))["SUM"] == [13]


def test_an_initial_state_comes_from_a_file(servers):
    config = batching(DIRECT, total_initial=(1, 'data_file: "hundred"'))
    repository = servers.repository().add(MODEL, config=config)
    file = repository.path / MODEL / "initial_state" / "hundred"
    file.parent.mkdir()
    file.write_bytes(struct.pack("<i", 100))
    server = servers.start(repository)
    assert outputs(send(server, 5, 1, begins=True))["SUM"] == [105]
    assert outputs(send(server, 6, 1))["SUM"] == [111]
    assert outputs(send(server, 5, 2, begins=True))["SUM"] == [105]


def test_an_idle_sequence_loses_its_state(servers):
    server = start(servers, idle_us=200_000)
    for name in range(1, 5):
        outputs(send(server, 50, name, begins=True))
    assert outputs(send(server, 1, 5, begins=True))["SUM"] == [1]
    assert send(server, 1, 1).status_code == 400
    assert outputs(send(server, 2, 1, begins=True))["SUM"] == [2]


def test_a_request_that_fails_leaves_the_states_as_they_were(servers):
    server = start(servers)
    assert outputs(send(server, 5, 1, begins=True))["SUM"] == [5]
    assert error_of(send(server, -1, 1)) == "as it was told"
    assert outputs(send(server, -3, 1))["SUM"] == [5]
    assert outputs(send(server, 6, 1))["LOG"] == [0, 0, 5, 6]


def test_a_state_of_the_wrong_kind_is_an_error(servers):
    server = start(servers)
    assert outputs(send(server, 5, 1, begins=True))["SUM"] == [5]
    answer = send(server, -4, 1)
    assert answer.status_code == 400
    assert error_of(answer) == (
        f"state 'NEW_TOTAL' for model '{MODEL}' is FP32 of shape [1,1], but the model "
        "configuration expects INT32 of shape [1,1]"
    )


def test_states_outlive_the_process(servers):
    server = start(servers)
    assert outputs(send(server, 5, 1, begins=True))["LOG"] == [0, 0, 5]
    assert send(server, -2, 1).status_code == 500
    assert outputs(send(server, 6, 1))["LOG"] == [0, 0, 5, 6]


WRONG = {
    'state [{ output_name: "B" data_type: TYPE_INT32 dims: [ 1 ] }]': (
        "sequence batching state '' must specify 'input_name'"
    ),
    state("A", "", 1): "sequence batching state 'A' must specify 'output_name'",
    state("A", "B", 0): (
        "sequence batching state 'A' dimension must be integer >= 1, or -1 to indicate a "
        "variable-size dimension"
    ),
    state("INPUT", "B", 1): "sequence batching state 'INPUT' has the name of another tensor",
    state("A", "B", 1, (2, "zero_data: true")): (
        "'initial_state' dim for input name 'A' doesn't match 'state' dim description. 2 != 1"
    ),
    state("A", "B", 1, (1, 'data_file: "gone"')): "failed to open text file for read",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_states_that_cannot_be_are_refused(servers, wrong):
    config = f"\nsequence_batching {{ direct {{ }} {wrong} }}\n"
    repository = servers.repository().add(MODEL, config=config)
    server = servers.start(repository, wait=False)
    assert server.output.wait_for(re.escape(WRONG[wrong])), server.log()
