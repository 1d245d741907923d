"""Several instances of a model: processes of their own that work at the same time."""

import concurrent.futures

from harness.infer import body, outputs, post, tensor

N_INSTANCES = 4


def test_four_instances_execute_four_requests_at_the_same_time(servers, tmp_path):
    server = servers.start("barrier")
    folder = tmp_path / "meeting"
    folder.mkdir()
    request = body(tensor("FOLDER", "BYTES", [1], [str(folder)]))
    with concurrent.futures.ThreadPoolExecutor(N_INSTANCES) as pool:
        answers = list(
            pool.map(lambda _: outputs(post(server, "barrier", request)), range(N_INSTANCES))
        )
    assert len({answer["PID"][0] for answer in answers}) == N_INSTANCES
    names = sorted(answer["INSTANCE"][0] for answer in answers)
    assert names == [f"barrier_0_{i}" for i in range(N_INSTANCES)]


def pids_of(server, n_requests=64):
    """The processes that execute requests to `crash`, of which eight at a time are under way."""
    request = body(tensor("HOW", "INT32", [1], [0]))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _: outputs(post(server, "crash", request)), range(n_requests))
        return {answer["PID"][0] for answer in answers}


def test_one_instance_executes_one_request_after_the_other(servers):
    assert len(pids_of(servers.start("crash"))) == 1


def test_passive_instances_are_given_nothing(servers):
    groups = """instance_group [
      { name: "works" count: 2 kind: KIND_CPU },
      { name: "rests" count: 2 kind: KIND_CPU passive: true }
    ]
    """
    server = servers.start(servers.repository().add("crash", config=groups))
    assert len(pids_of(server, 500)) <= 2
