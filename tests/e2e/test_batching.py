"""Dynamic batching: which requests run together, when, and what becomes of those that wait."""

import concurrent.futures
import contextlib
import itertools
import os
import select
import time

import pytest

from harness.control import wait_until
from harness.infer import body, error_of, outputs, post, tensor
from harness.metrics import pending

MODEL = "batches"
LONG = 20_000_000  # microseconds that no test waits


def batching(**fields):
    """The section of a configuration."""
    lines = "\n".join(f"  {name}: {value}" for name, value in fields.items())
    return f"\ndynamic_batching {{\n{lines}\n}}\n"


def start(servers, **fields):
    return servers.start(servers.repository().add(MODEL, config=batching(**fields)))


def rows(n, width=1, **members):
    """A request with a batch of `n` rows."""
    return body(tensor("IN", "INT32", [n, width], [0] * (n * width)), **members)


class Clients:
    """Requests that are under way at the same time."""

    def __init__(self, server):
        self._server = server
        self._pool = concurrent.futures.ThreadPoolExecutor(32)

    def send(self, request):
        return self._pool.submit(post, self._server, MODEL, request)

    def send_all(self, requests):
        """Sends them all and returns what each was told."""
        return [outputs(answer.result()) for answer in [self.send(item) for item in requests]]

    @contextlib.contextmanager
    def busy(self, folder):
        """Keeps the instance busy with a request for as long as the block lasts."""
        folder.mkdir(parents=True)
        for name in ("started", "go"):
            os.mkfifo(folder / name)
        started = os.open(folder / "started", os.O_RDONLY | os.O_NONBLOCK)
        request = rows(1)
        request["inputs"].append(tensor("FOLDER", "BYTES", [1, 1], [str(folder)]))
        answer = self.send(request)
        assert select.select([started], [], [], 60)[0], "the request did not reach the model"
        os.close(started)
        try:
            yield
        finally:
            with open(folder / "go", "w") as go:
                go.write("go")
            assert answer.result().status_code == 200

    def close(self):
        self._pool.shutdown()


@pytest.fixture
def clients():
    made = []

    def make(server):
        made.append(Clients(server))
        return made[-1]

    yield make
    for each in made:
        each.close()


def sizes(answers):
    """The sizes of the executions, by their numbers."""
    return {answer["EXECUTION"][0]: answer["REQUESTS"][0] for answer in answers}


def number(answer):
    """Of the execution that a request was part of."""
    return outputs(answer.result())["EXECUTION"][0]


def test_a_batch_goes_as_soon_as_it_has_a_preferred_size(servers, clients):
    server = start(servers, preferred_batch_size="[ 4 ]", max_queue_delay_microseconds=LONG)
    answers = clients(server).send_all([rows(1)] * 8)
    assert list(sizes(answers).values()) == [4, 4]
    assert sorted(answer["PLACE"][0] for answer in answers) == [0, 0, 1, 1, 2, 2, 3, 3]


def test_rows_count_not_requests(servers, clients):
    server = start(servers, max_queue_delay_microseconds=LONG)
    answers = clients(server).send_all([rows(2)] * 4)
    assert list(sizes(answers).values()) == [4]
    assert all(len(answer["PLACE"]) == 2 for answer in answers)


def test_a_batch_goes_when_its_oldest_request_has_waited_long_enough(servers, clients):
    delay_us = 300_000
    server = start(servers, max_queue_delay_microseconds=delay_us)
    begin = time.monotonic()
    answers = clients(server).send_all([rows(1)] * 3)
    assert time.monotonic() - begin >= delay_us / 1e6
    assert list(sizes(answers).values()) == [3]


def test_batches_form_while_the_instance_is_busy(servers, clients, tmp_path):
    server = start(servers)
    several = clients(server)
    with several.busy(tmp_path / "hold"):
        waiting = [several.send(rows(1)) for _ in range(8)]
        wait_until(lambda: pending(server, MODEL) == 8, "eight requests are queued")
    answers = [outputs(answer.result()) for answer in waiting]
    assert list(sizes(answers).values()) == [8]


def test_no_batch_is_larger_than_allowed(servers, clients):
    server = start(servers)
    answers = clients(server).send_all([rows(1 + i % 3) for i in range(200)])
    executions = {}
    for answer in answers:
        number = answer["EXECUTION"][0]
        executions[number] = executions.get(number, 0) + len(answer["PLACE"])
    assert max(executions.values()) <= 8


def test_requests_of_different_shapes_do_not_run_together(servers, clients):
    server = start(servers, max_queue_delay_microseconds=50_000)
    widths = [1 + i % 2 for i in range(64)]
    answers = clients(server).send_all([rows(1, width=width) for width in widths])
    shapes = {}
    for width, answer in zip(widths, answers, strict=True):
        shapes.setdefault(answer["EXECUTION"][0], set()).add(width)
    assert all(len(shape) == 1 for shape in shapes.values())


def test_ragged_requests_run_together(servers, clients):
    repository = servers.repository().add(
        MODEL,
        config=batching(max_queue_delay_microseconds=LONG),
        edit={"dims: [ -1 ] }": "dims: [ -1 ] allow_ragged_batch: true }"},
    )
    answers = clients(servers.start(repository)).send_all([rows(1, width=i + 1) for i in range(8)])
    assert list(sizes(answers).values()) == [8]


def test_answers_keep_the_order_of_the_requests_where_that_is_wanted(servers, clients, tmp_path):
    config = batching(preserve_ordering="true") + "instance_group [{ count: 2 kind: KIND_CPU }]"
    several = clients(servers.start(servers.repository().add(MODEL, config=config)))
    with several.busy(tmp_path / "hold"):
        later = several.send(rows(1))
        assert not concurrent.futures.wait([later], timeout=0.5).done
    assert later.result().status_code == 200


def test_a_full_queue_refuses(servers, clients, tmp_path):
    server = start(servers, default_queue_policy="{ max_queue_size: 2 }")
    several = clients(server)
    with several.busy(tmp_path / "hold"):
        answers = [several.send(rows(1, id="late")) for _ in range(8)]
        done, _ = concurrent.futures.wait(
            answers, timeout=60, return_when=concurrent.futures.FIRST_COMPLETED
        )
        refused = done.pop().result()
        assert refused.status_code == 503
        assert error_of(refused) == "[request id: late] Exceeds maximum queue size"
    codes = sorted(answer.result().status_code for answer in answers)
    assert codes.count(200) >= 2 and codes.count(503) >= 1


def test_what_waits_too_long_is_refused(servers, clients, tmp_path):
    policy = "{ default_timeout_microseconds: 200000 timeout_action: REJECT }"
    server = start(servers, default_queue_policy=policy)
    several = clients(server)
    with several.busy(tmp_path / "hold"):
        refused = several.send(rows(1)).result()
    assert refused.status_code == 503
    assert error_of(refused) == "Request timeout expired"


def test_what_waits_too_long_is_overtaken_where_that_is_wanted(servers, clients, tmp_path):
    timeout_s = 0.5
    policy = f"{{ default_timeout_microseconds: {int(timeout_s * 1e6)} timeout_action: DELAY }}"
    server = start(servers, default_queue_policy=policy)
    several = clients(server)
    with several.busy(tmp_path / "hold"):
        late = several.send(rows(8))
        assert not concurrent.futures.wait([late], timeout=1.5 * timeout_s).done
        in_time = several.send(rows(8))
        wait_until(lambda: pending(server, MODEL) == 2, "the other one is queued as well")
    assert number(in_time) < number(late)


def test_levels_have_policies_of_their_own(servers, clients, tmp_path):
    server = start(
        servers,
        priority_levels=2,
        default_priority_level=2,
        priority_queue_policy="[ { key: 1 value { max_queue_size: 1 } } ]",
    )
    several = clients(server)
    with several.busy(tmp_path / "hold"):
        urgent = [several.send(rows(1, id="u", parameters={"priority": 1})) for _ in range(4)]
        refused = list(itertools.islice(concurrent.futures.as_completed(urgent, timeout=60), 3))
        for answer in refused:
            assert error_of(answer.result()) == "[request id: u] Exceeds maximum queue size"
        usual = [several.send(rows(1)) for _ in range(4)]
        wait_until(lambda: pending(server, MODEL) == 5, "the usual ones are queued")
    assert [answer.result().status_code for answer in usual] == [200] * 4
    assert sorted(answer.result().status_code for answer in urgent) == [200, 503, 503, 503]


def test_a_request_may_ask_for_less_time_where_that_is_allowed(servers, clients, tmp_path):
    policy = f"{{ default_timeout_microseconds: {LONG} allow_timeout_override: true }}"
    server = start(servers, default_queue_policy=policy)
    several = clients(server)
    with several.busy(tmp_path / "hold"):
        refused = several.send(rows(1, parameters={"timeout": 100_000})).result()
    assert error_of(refused) == "Request timeout expired"


def test_urgent_requests_overtake_others(servers, clients, tmp_path):
    server = start(
        servers, priority_levels=2, default_priority_level=2, preferred_batch_size="[ 1 ]"
    )
    several = clients(server)
    with several.busy(tmp_path / "hold"):
        usual = [several.send(rows(8)) for _ in range(3)]
        wait_until(lambda: pending(server, MODEL) == 3, "the usual ones are queued")
        urgent = [several.send(rows(8, parameters={"priority": 1})) for _ in range(3)]
        wait_until(lambda: pending(server, MODEL) == 6, "the urgent ones are queued as well")
    assert max(map(number, urgent)) < min(map(number, usual))
