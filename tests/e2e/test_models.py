"""What model.py files may do, one model of tests/repositories for each."""

import concurrent.futures
import json

import numpy as np
import pytest
import tritonclient.http

from harness.infer import body, outputs, post, tensor

MODELS = [
    "batched",
    "changes_inputs",
    "forks",
    "init_args",
    "keeps_inputs",
    "layouts",
    "multi_file",
    "optional",
    "refills_buffer",
    "request_info",
    "strings",
    "versions",
]


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start(MODELS)


def int32(name, *values):
    return tensor(name, "INT32", [len(values)], list(values))


def fp32(*values):
    return tensor("INPUT0", "FP32", [len(values)], list(values))


def info_of(server, **members):
    answer = post(server, "request_info", body(int32("INPUT0", 1), **members))
    return json.loads(outputs(answer)["INFO"][0])


@pytest.mark.parametrize("n_rows", [1, 2, 8])
def test_a_batch_arrives_whole(server, n_rows):
    request = body(tensor("INPUT0", "INT32", [n_rows, 2], list(range(2 * n_rows))))
    answer = outputs(post(server, "batched", request))
    assert answer == {"OUTPUT0": list(range(2 * n_rows)), "ROWS": [n_rows] * n_rows}


@pytest.mark.parametrize("names", ["A", "AB", "AC", "ABC", "CBA"])
def test_optional_inputs_may_be_missing(server, names):
    request = body(*(int32(name, 1) for name in names))
    assert outputs(post(server, "optional", request))["GIVEN"] == sorted(names)


def test_outputs_need_not_be_contiguous(server):
    array = np.arange(12, dtype=np.int64).reshape(3, 4)
    answer = post(server, "layouts", body(tensor("INPUT0", "INT64", [3, 4], array.tolist())))
    found = {
        output["name"]: np.array(output["data"]).reshape(output["shape"]).tolist()
        for output in answer.json()["outputs"]
    }
    assert found == {
        "TRANSPOSED": array.T.tolist(),
        "STRIDED": array[:, ::2].tolist(),
        "REVERSED": array[::-1].tolist(),
        "FORTRAN": array.tolist(),
    }


@pytest.mark.parametrize("n_elements", [4, 100000])
def test_inputs_may_be_kept(servers, n_elements):
    server = servers.start("keeps_inputs")
    kept = []
    for i in range(20):
        kept.append(float(i))
        answer = outputs(post(server, "keeps_inputs", body(fp32(*[float(i)] * n_elements))))
        assert answer["KEPT"] == kept


@pytest.mark.hippocamp_only("NVIDIA's server has no such limit")
def test_kept_inputs_do_not_fill_the_arena(servers):
    """Some 256 MB may be kept in place; what is kept beyond is on the model's own heap."""
    server = servers.start("keeps_inputs")
    client = tritonclient.http.InferenceServerClient(f"127.0.0.1:{server.http_port}")
    given = tritonclient.http.InferInput("INPUT0", [4 << 20], "FP32")
    for i in range(20):
        given.set_data_from_numpy(np.full(4 << 20, i, dtype=np.float32))
        answer = client.infer("keeps_inputs", [given])
    assert answer.as_numpy("KEPT").tolist() == list(range(20))
    assert answer.as_numpy("SHARED").tolist() == [True] * 17 + [False] * 3


def test_inputs_may_be_changed_in_place(server):
    for n_elements in (1, 50000):
        values = [float(i) for i in range(n_elements)]
        for _ in range(2):
            answer = outputs(post(server, "changes_inputs", body(fp32(*values))))["OUTPUT0"]
            assert answer == [value + 1 for value in values]


def test_a_buffer_may_be_refilled_for_every_answer(server):
    answers = [post(server, "refills_buffer", body(fp32(i))) for i in range(6)]
    for i, answer in enumerate(answers):
        assert set(outputs(answer)["OUTPUT0"]) == {float(i)}


def test_a_buffer_may_be_refilled_under_load(server):
    def ask(i):
        answer = post(server, "refills_buffer", body(fp32(i)))
        return set(outputs(answer)["OUTPUT0"]) == {float(i)}

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(80)))


def test_strings_in_every_form(server):
    values = ["", "plain", "é€😀", "longer than the others"]
    answer = outputs(post(server, "strings", body(tensor("INPUT0", "BYTES", [4], values))))
    assert answer == {"OBJECT": values, "FIXED": values, "TEXT": values, "EMPTY": []}


@pytest.mark.parametrize(("asked", "answered"), [(None, 10), ("1", 1), ("3", 3), ("10", 10)])
def test_versions_are_served_side_by_side(server, asked, answered):
    answer = post(server, "versions", body(int32("INPUT0", 1)), version=asked)
    assert answer.json()["model_version"] == str(answered)
    assert outputs(answer)["VERSION"] == [answered]


def test_initialize_is_told_what_it_needs(server):
    request = body(tensor("INPUT0", "INT32", [1, 1], [1]))
    facts = json.loads(outputs(post(server, "init_args", request))["ARGS"][0])
    folder = str(server.repository.path / "init_args")
    config = json.loads(facts["args"].pop("model_config"))
    assert config["parameters"] == {"color": {"string_value": "blue"}}
    name = facts["args"].pop("model_instance_name")
    assert name in ("init_args_0", "init_args_0_0")
    assert facts["args"] == {
        "model_instance_kind": "CPU",
        "model_instance_device_id": "0",
        "model_repository": folder,
        "model_version": "1",
        "model_name": "init_args",
    }
    assert facts["types"] == ["str"]
    assert facts["module"] == "1.model"
    assert facts["model_dir"] == f"{folder}/1"
    assert facts["argv"] == [""]
    assert facts["main_thread"] is True
    assert facts["path"].index(f"{folder}/1") < facts["path"].index(folder)


def test_a_model_may_have_several_files(server):
    assert outputs(post(server, "multi_file", body(int32("INPUT0", 1))))["NAMES"] == [
        "beside model.py",
        "beside config.pbtxt",
        "relative",
        "in a package",
    ]


def test_a_request_says_what_the_client_said(server):
    parameters = {"s": "é", "i": -5, "b": True, "d": 1.5, "large": 2**63 - 1}
    assert info_of(server, id="id 7", parameters=parameters) == {
        "id": "id 7",
        "correlation_id": 0,
        "flags": 0,
        "timeout": 0,
        "parameters": parameters,
        "outputs": ["INFO", "UNUSED"],
    }


def test_some_parameters_have_a_meaning(server):
    info = info_of(
        server,
        parameters={
            "sequence_id": 5,
            "sequence_start": True,
            "sequence_end": True,
            "timeout": 10**6,
        },
    )
    assert (info["correlation_id"], info["flags"], info["timeout"]) == (5, 3, 10**6)
    assert info["parameters"] == {}
    assert info_of(server, parameters={"sequence_id": "abc"})["correlation_id"] == "abc"


def test_only_what_was_asked_for_is_answered(server):
    request = body(int32("INPUT0", 1), outputs=[{"name": "INFO"}])
    answer = outputs(post(server, "request_info", request))
    assert list(answer) == ["INFO"]
    assert json.loads(answer["INFO"][0])["outputs"] == ["INFO"]


def test_unknown_members_are_ignored(server):
    one = {**int32("INPUT0", 1), "extra": {"a": [1]}, "parameters": {"unknown": 1}}
    assert post(server, "request_info", body(one, extra=None)).status_code == 200


@pytest.mark.hippocamp_only("a fork may catch a thread of NVIDIA's process with a lock held")
def test_a_model_may_fork_workers(server):
    for _ in range(3):
        values = [float(i) for i in range(1000)]
        answer = outputs(post(server, "forks", body(fp32(*values))))["SQUARES"]
        assert answer == [value**2 for value in values]


def test_python_writes_no_bytecode_beside_the_models(server, kind):
    if kind == "oracle":
        pytest.skip("NVIDIA's server lets Python write __pycache__ into the repository")
    assert not list(server.repository.path.rglob("__pycache__"))
