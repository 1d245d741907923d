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


def test_one_instance_executes_one_request_after_the_other(servers):
    server = servers.start("crash")
    request = body(tensor("HOW", "INT32", [1], [0]))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        pids = pool.map(lambda _: outputs(post(server, "crash", request))["PID"][0], range(64))
    assert len(set(pids)) == 1
