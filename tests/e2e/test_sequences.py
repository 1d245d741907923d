"""Sequence batching: requests of one sequence go to one instance, in order, with controls."""

import concurrent.futures
import json
import random
import time

import pytest

from harness.control import wait_until
from harness.gate import HeldRequest
from harness.infer import body, error_of, outputs, post, tensor
from harness.metrics import pending
from harness.raw import Connection
from harness.raw import request as raw_request

MODEL = "sequences"


def control(name, *controls):
    lines = "".join(f" control [ {{ {what} }} ]" for what in controls)
    return f'control_input {{ name: "{name}" {lines} }}'


FLAGS = (
    control("START", "kind: CONTROL_SEQUENCE_START int32_false_true: [ 0, 1 ]"),
    control("END", "kind: CONTROL_SEQUENCE_END fp32_false_true: [ 0, 1 ]"),
    control("IS_READY", "kind: CONTROL_SEQUENCE_READY bool_false_true: [ false, true ]"),
)
NUMBER = control("ID", "kind: CONTROL_SEQUENCE_CORRID data_type: TYPE_UINT64")
STRING = control("ID", "kind: CONTROL_SEQUENCE_CORRID data_type: TYPE_STRING")


def batching(strategy, name=NUMBER, idle_us=5_000_000):
    lines = "\n".join([f"max_sequence_idle_microseconds: {idle_us}", strategy, *FLAGS, name])
    return f"\nsequence_batching {{\n{lines}\n}}\n"


DIRECT = "direct { }"
OLDEST = "oldest { max_candidate_sequences: 4 }"
BOTH = pytest.mark.parametrize("strategy", [DIRECT, OLDEST], ids=["direct", "oldest"])


def start(servers, strategy, n_instances=1, **fields):
    config = batching(strategy, **fields)
    config += f"instance_group [{{ count: {n_instances} kind: KIND_CPU }}]\n"
    return servers.start(servers.repository().add(MODEL, config=config))


def request(value, name, begins=False, ends=False):
    parameters = {"sequence_id": name, "sequence_start": begins, "sequence_end": ends}
    return body(tensor("INPUT", "INT32", [1, 1], [value]), parameters=parameters)


def send(server, *args, **kwargs):
    return post(server, MODEL, request(*args, **kwargs))


@BOTH
def test_a_sequence_is_told_where_it_begins_and_ends(servers, strategy):
    server = start(servers, strategy)
    answers = [
        outputs(send(server, 5, 42, begins=True)),
        outputs(send(server, 6, 42)),
        outputs(send(server, 7, 42, ends=True)),
        outputs(send(server, 8, 42, begins=True, ends=True)),
    ]
    assert [answer["SUM"] for answer in answers] == [[5], [11], [18], [8]]
    assert [answer["CONTROLS"] for answer in answers] == [
        [1, 0, 1],
        [0, 0, 1],
        [0, 1, 1],
        [1, 1, 1],
    ]
    assert all(answer["ID"] == ["42"] and answer["READY"] == [1] for answer in answers)


@pytest.mark.parametrize("dtype", ["INT64", "UINT32", "INT32"])
def test_the_number_of_a_sequence_comes_in_the_type_that_is_wanted(servers, dtype):
    server = start(servers, DIRECT, name=NUMBER.replace("UINT64", dtype))
    assert outputs(send(server, 5, 42, begins=True, ends=True))["ID"] == ["42"]


STRINGS = pytest.mark.hippocamp_only("NVIDIA's server refuses its own control of a string id")


@BOTH
@STRINGS
def test_sequences_may_be_named_by_strings(servers, strategy):
    server = start(servers, strategy, name=STRING)
    assert outputs(send(server, 5, "seven", begins=True))["SUM"] == [5]
    answer = outputs(send(server, 6, "seven", ends=True))
    assert (answer["SUM"], answer["ID"]) == ([11], ["seven"])


@BOTH
def test_many_sequences_at_a_time_keep_to_themselves(servers, strategy):
    server = start(servers, strategy, n_instances=2)

    def run(name):
        values = [random.randrange(100) for _ in range(20)]
        answers = [
            outputs(send(server, value, name, begins=i == 0, ends=i == len(values) - 1))
            for i, value in enumerate(values)
        ]
        sums = [sum(values[: i + 1]) for i in range(len(values))]
        return [a["SUM"][0] for a in answers] == sums, {a["INSTANCE"][0] for a in answers}

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        results = list(pool.map(run, range(1, 25)))
    assert all(right and len(instances) == 1 for right, instances in results)
    assert len(set.union(*(instances for _, instances in results))) == 2


def test_empty_slots_of_a_direct_batch_are_not_ready(servers):
    server = start(servers, DIRECT)
    for name in (1, 2, 3):
        assert outputs(send(server, name, name, begins=True))["SUM"] == [name]
    assert outputs(send(server, 1, 2))["READY"] == [0, 1]
    outputs(send(server, 1, 3, ends=True))
    assert outputs(send(server, 1, 1))["READY"] == [1]
    assert outputs(send(server, 1, 2))["SUM"] == [4]


DELAY_US = 400_000
LONG = 60_000_000  # microseconds that no test waits
FULL = {
    "direct": "direct {{ minimum_slot_utilization: 1.0 max_queue_delay_microseconds: {delay} }}",
    "oldest": "oldest {{ max_candidate_sequences: 4 preferred_batch_size: [ 4 ] "
    "max_queue_delay_microseconds: {delay} }}",
}


@pytest.mark.parametrize("strategy", FULL)
def test_a_batch_of_sequences_waits_until_it_is_full(servers, strategy):
    server = start(servers, FULL[strategy].format(delay=LONG), idle_us=2 * LONG)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(send, server, i, i, begins=True) for i in (1, 2, 3, 4)]
        assert [outputs(answer.result())["READY"] for answer in asked] == [[1, 1, 1, 1]] * 4


@pytest.mark.parametrize("strategy", FULL)
def test_a_batch_of_sequences_that_does_not_get_full_goes_after_a_while(servers, strategy):
    server = start(servers, FULL[strategy].format(delay=DELAY_US))
    begin = time.monotonic()
    assert outputs(send(server, 5, 1, begins=True))["SUM"] == [5]
    assert time.monotonic() - begin >= DELAY_US / 1e6


@BOTH
def test_a_sequence_without_a_slot_waits_for_one(servers, strategy):
    server = start(servers, strategy)
    for name in (1, 2, 3, 4):
        outputs(send(server, name, name, begins=True))
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        fifth = pool.submit(send, server, 50, 5, begins=True, ends=True)
        assert not concurrent.futures.wait([fifth], timeout=0.3).done
        outputs(send(server, 1, 3, ends=True))
        assert outputs(fifth.result())["SUM"] == [50]


@BOTH
def test_a_sequence_that_may_not_wait_longer_for_a_slot_is_refused(servers, strategy):
    server = start(servers, strategy, idle_us=LONG)
    for name in (1, 2, 3, 4):
        outputs(send(server, name, name, begins=True))
    first = request(50, 5, begins=True)
    first["parameters"]["timeout"] = 1_000_000
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(post, server, MODEL, first)]
        wait_until(lambda: pending(server, MODEL) == 1, "the sequence waits")
        asked.append(pool.submit(send, server, 51, 5))
        for answer in asked:
            assert answer.result().status_code == 503
            message = "timeout of the corresponding sequence has been expired"
            assert error_of(answer.result()) == message
    assert "must specify the START flag" in error_of(send(server, 52, 5))
    outputs(send(server, 1, 3, ends=True))
    assert outputs(send(server, 53, 5, begins=True))["SUM"] == [53]


@BOTH
def test_idle_sequences_lose_their_slots(servers, strategy):
    server = start(servers, strategy, idle_us=300_000)
    for name in (1, 2, 3, 4):
        outputs(send(server, name, name, begins=True))
    begin = time.monotonic()
    assert outputs(send(server, 50, 5, begins=True, ends=True))["SUM"] == [50]
    assert time.monotonic() - begin < 4
    answer = send(server, 1, 1)
    assert answer.status_code == 400
    assert error_of(answer) == (
        f"inference request for sequence 1 to model '{MODEL}' must specify the START flag on the "
        "first request of the sequence"
    )


@BOTH
def test_wrong_requests_are_refused(servers, strategy):
    server = start(servers, strategy)
    answer = send(server, 1, 7)
    assert answer.status_code == 400
    assert error_of(answer) == (
        f"inference request for sequence 7 to model '{MODEL}' must specify the START flag on the "
        "first request of the sequence"
    )
    answer = post(server, MODEL, body(tensor("INPUT", "INT32", [1, 1], [1])))
    assert answer.status_code == 400
    assert error_of(answer) == (
        f"inference request to model '{MODEL}' must specify a non-zero or non-empty correlation ID"
    )
    two = body(tensor("INPUT", "INT32", [2, 1], [1, 2]), parameters={"sequence_id": 9})
    answer = post(server, MODEL, two)
    assert answer.status_code == 400
    assert error_of(answer) == (
        f"inference request to model '{MODEL}' must specify batch-size 1 due to requirements of "
        "sequence batcher"
    )
    assert outputs(send(server, 5, 7, begins=True))["SUM"] == [5]


@BOTH
@STRINGS
def test_a_name_of_the_wrong_kind_is_refused(servers, strategy):
    server = start(servers, strategy, name=STRING)
    answer = send(server, 1, 7, begins=True)
    assert answer.status_code == 400
    assert "sequence batching control 'ID' data-type is" in error_of(answer)


@BOTH
def test_a_sequence_that_starts_again_starts_anew(servers, strategy):
    server = start(servers, strategy)
    assert outputs(send(server, 5, 1, begins=True))["SUM"] == [5]
    assert outputs(send(server, 6, 1, begins=True))["SUM"] == [6]
    assert outputs(send(server, 7, 1, ends=True))["SUM"] == [13]


@pytest.mark.hippocamp_only("NVIDIA's server notices at the next request only")
@BOTH
def test_a_request_that_is_given_up_takes_the_rest_of_its_sequence_along(
    servers, tmp_path, strategy
):
    config = (
        f"\nsequence_batching {{ {strategy} }}\ninstance_group [{{ count: 1 kind: KIND_CPU }}]\n"
    )
    server = servers.start(servers.repository().add("gate", config=config))

    def ask(folder):
        parameters = {"sequence_id": 7}
        return body(tensor("FOLDER", "BYTES", [1], [str(folder)]), parameters=parameters)

    held = HeldRequest(server, tmp_path / "held", sequence_id=7, sequence_start=True)
    given_up = Connection(server)
    given_up.send(raw_request("/v2/models/gate/infer", json.dumps(ask(tmp_path)).encode()))
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        wait_until(lambda: pending(server, "gate") == 1, "the request is queued")
        behind = pool.submit(post, server, "gate", ask(tmp_path))
        wait_until(lambda: pending(server, "gate") == 2, "the other one as well")
        given_up.close()
        answer = behind.result()
        assert answer.status_code == 400
        assert error_of(answer) == ""
        held.release()
        assert held.wait().status_code == 200
    answer = post(server, "gate", ask(tmp_path))
    assert answer.status_code == 400
    assert "must specify the START flag" in error_of(answer)


def test_an_iterative_model_sees_a_request_as_often_as_it_likes(servers):
    server = servers.start("iterates")

    def ask(rounds):
        answer = post(server, "iterates", body(tensor("ROUNDS", "INT32", [1, 1], [rounds])))
        return outputs(answer)["SEEN"] == [rounds]

    assert ask(1)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, [1 + i % 7 for i in range(40)]))
