"""Loading, unloading and reloading at run time, for clients that may (explicit control)."""

import base64
import concurrent.futures
import json
import threading

import pytest
import requests

from harness.control import (
    EXPLICIT,
    QUESTION,
    client_of,
    index,
    load,
    pid_of,
    reason_of,
    say,
    set_word,
    unload,
    wait_until,
)
from harness.gate import HeldRequest
from harness.infer import error_of, outputs, post
from harness.repository import FIXTURES
from harness.server import StartFailed

SAYS_CONFIG = {
    "backend": "python",
    "input": [{"name": "INPUT0", "data_type": "TYPE_INT32", "dims": [1]}],
    "output": [
        {"name": "WORD", "data_type": "TYPE_STRING", "dims": [1]},
        {"name": "PID", "data_type": "TYPE_INT32", "dims": [1]},
    ],
}


def start_explicit(servers, *models, options=()):
    return servers.start(list(models), EXPLICIT, *options)


def metadata_versions(server, model):
    return requests.get(f"{server.url}/v2/models/{model}", timeout=60).json()["versions"]


def file_parameter(text):
    return base64.b64encode(text.encode()).decode()


# ---- Loading and unloading ----


def test_nothing_is_loaded_before_somebody_asks(servers):
    server = start_explicit(servers, "says", "versions")
    assert index(server) == [("says", None, None), ("versions", None, None)]
    assert index(server, ready=True) == []
    answer = post(server, "says", QUESTION)
    assert answer.status_code == 404
    assert error_of(answer) == "Request for unknown model: 'says' is not found"


def test_a_model_is_loaded_and_unloaded(servers):
    server = start_explicit(servers, "says")
    client = client_of(server)
    client.load_model("says")
    assert client.is_model_ready("says")
    assert index(server) == [("says", "1", "READY")]
    assert say(server) == "first"
    client.unload_model("says")
    assert not client.is_model_ready("says")
    wait_until(lambda: reason_of(server, "says") == "unloaded", "the end of the model")
    assert index(server) == [("says", "1", "UNAVAILABLE")]
    assert index(server, ready=True) == []
    assert client.is_server_ready()
    answer = post(server, "says", QUESTION)
    assert error_of(answer) == "Request for unknown model: 'says' has no available versions"
    client.load_model("says")
    assert say(server) == "first"


def test_unloading_what_is_not_loaded_is_no_mistake(servers):
    server = start_explicit(servers, "says")
    for name in ("says", "nobody"):
        assert unload(server, name).status_code == 200


def test_a_request_in_flight_outlives_the_unloading(servers, tmp_path):
    server = start_explicit(servers, "gate")
    assert load(server, "gate").status_code == 200
    held = HeldRequest(server, tmp_path / "held")
    assert unload(server, "gate").status_code == 200
    assert index(server) == [("gate", "1", "UNLOADING")]
    held.release()
    assert outputs(held.wait())["DONE"] == [1]
    wait_until(lambda: reason_of(server, "gate") == "unloaded", "the end of the model")


def test_models_are_loaded_side_by_side(servers):
    names = [f"says{i}" for i in range(6)]
    repository = servers.repository()
    for name in names:
        repository.add("says", name=name)
    server = servers.start(repository, EXPLICIT)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda name: load(server, name).status_code, names * 2))
    assert answers == [200] * 12
    assert index(server, ready=True) == [(name, "1", "READY") for name in names]


# ---- Loading again ----


@pytest.mark.hippocamp_only("NVIDIA's server takes the byte code that Python writes for a change")
def test_a_model_that_did_not_change_stays(servers):
    server = start_explicit(servers, "says")
    load(server, "says")
    before = pid_of(server)
    assert load(server, "says").status_code == 200
    assert pid_of(server) == before


def test_a_change_of_files_is_taken(servers):
    server = start_explicit(servers, "says")
    load(server, "says")
    set_word(server, "second")
    assert say(server) == "first"
    assert load(server, "says").status_code == 200
    assert say(server) == "second"


def test_a_load_that_fails_leaves_the_old_version_serving(servers):
    server = start_explicit(servers, "says")
    load(server, "says")
    set_word(server, "broken")
    answer = load(server, "says")
    assert answer.status_code == 400
    message = error_of(answer)
    assert message.startswith(
        "load failed for model 'says': version 1 is at UNAVAILABLE state: "
        "Internal: TritonModelException: the word is broken"
    )
    assert message.endswith(";\n")
    assert say(server) == "first"
    assert index(server) == [("says", "1", "READY")]
    set_word(server, "third")
    assert load(server, "says").status_code == 200
    assert say(server) == "third"


def test_a_first_load_that_fails_says_so_in_the_index(servers):
    server = start_explicit(servers, "says")
    set_word(server, "broken")
    assert load(server, "says").status_code == 400
    assert index(server) == [("says", "1", "UNAVAILABLE")]
    assert "the word is broken" in reason_of(server, "says")
    assert not client_of(server).is_server_ready()


def test_one_bad_version_keeps_the_others_from_being_served(servers):
    server = start_explicit(servers, "says")
    text = (FIXTURES / "says" / "1" / "model.py").read_text()
    server.repository.write("says/2/model.py", text).write("says/2/word", "broken")
    config = (FIXTURES / "says" / "config.pbtxt").read_text()
    server.repository.write("says/config.pbtxt", config + "version_policy { all {} }")
    answer = load(server, "says")
    assert "load failed for model 'says': version 2 is at UNAVAILABLE state" in error_of(answer)
    wait_until(lambda: reason_of(server, "says", "1") == "unloaded", "the end of version 1")
    assert "the word is broken" in reason_of(server, "says", "2")


def test_no_request_is_lost_while_a_model_is_loaded_again(servers):
    server = start_explicit(servers, "says")
    load(server, "says")
    stop = threading.Event()

    def ask():
        words = []
        with requests.Session() as session:
            while not stop.is_set():
                words.append(say(server, session=session))
        return words

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        try:
            for i in range(5):
                set_word(server, f"word {i}")
                assert load(server, "says").status_code == 200
                assert say(server) == f"word {i}"
        finally:
            stop.set()
        heard = set().union(*(future.result() for future in asking))
    assert "word 3" in heard


def test_the_old_version_finishes_what_it_has(servers, tmp_path):
    server = start_explicit(servers, "gate")
    load(server, "gate")
    held = HeldRequest(server, tmp_path / "held")
    text = (FIXTURES / "gate" / "1" / "model.py").read_text()
    server.repository.write("gate/1/model.py", text + "# changed\n")
    assert load(server, "gate").status_code == 200
    next_one = HeldRequest(server, tmp_path / "next")
    for request in (next_one, held):
        request.release()
        assert outputs(request.wait())["DONE"] == [1]


# ---- Versions ----


def test_a_change_of_the_version_policy_is_taken(servers):
    server = start_explicit(servers, "versions")
    load(server, "versions")
    every = metadata_versions(server, "versions")
    assert len(every) == 3
    config = (FIXTURES / "versions" / "config.pbtxt").read_text()
    for policy, expected in [
        ("latest { num_versions: 1 }", every[-1:]),
        ("latest { num_versions: 2 }", every[-2:]),
        (f"specific {{ versions: [{every[0]}] }}", every[:1]),
        ("all { }", every),
    ]:
        server.repository.write("versions/config.pbtxt", config.replace("all: { }", policy))
        assert load(server, "versions").status_code == 200, policy
        assert metadata_versions(server, "versions") == expected, policy


def test_a_version_that_was_added_is_found(servers):
    server = start_explicit(servers, "says")
    load(server, "says")
    text = (FIXTURES / "says" / "1" / "model.py").read_text()
    server.repository.write("says/2/model.py", text).write("says/2/word", "two")
    assert load(server, "says").status_code == 200
    assert metadata_versions(server, "says") == ["2"]
    assert say(server) == "two"


# ---- Overrides ----


def test_a_config_from_the_client_takes_the_place_of_the_file(servers):
    server = start_explicit(servers, "says")
    client = client_of(server)
    client.load_model("says", config=json.dumps({**SAYS_CONFIG, "max_batch_size": 4}))
    assert client.get_model_config("says")["max_batch_size"] == 4
    client.unload_model("says")
    client.load_model("says")
    assert client.get_model_config("says")["max_batch_size"] == 0


def test_files_from_the_client_take_the_place_of_the_folder(servers):
    server = start_explicit(servers, "says")
    client = client_of(server)
    text = (FIXTURES / "says" / "1" / "model.py").read_text()
    files = {"file:1/model.py": text.encode(), "file:1/word": b"from the client"}
    client.load_model("says", config=json.dumps(SAYS_CONFIG), files=files)
    assert say(server) == "from the client"
    client.load_model("fresh", config=json.dumps(SAYS_CONFIG), files=files)
    assert say(server, "fresh") == "from the client"
    client.unload_model("says")
    client.load_model("says")
    assert say(server) == "first"


@pytest.mark.hippocamp_only("NVIDIA's server keeps the files of a client for as long as it runs")
def test_files_from_the_client_are_removed_with_the_model(servers, tmp_path):
    server = servers.start("says", EXPLICIT, environment={"TMPDIR": str(tmp_path)})
    text = (FIXTURES / "says" / "1" / "model.py").read_text()
    parameters = {"file:1/model.py": file_parameter(text), "file:1/word": file_parameter("word")}

    def folders():
        return list(tmp_path.glob("hippocamp-*"))

    assert load(server, "says", config=json.dumps(SAYS_CONFIG), **parameters).status_code == 200
    assert len(folders()) == 1
    assert load(server, "says", config="{", **parameters).status_code == 500
    assert len(folders()) == 1
    unload(server, "says")
    wait_until(lambda: not folders(), "the end of the files")


# ---- Refusals ----

POLL_FAILED = "failed to load 'says', failed to poll from model repository"
NOT_JSON = "failed to parse the request JSON buffer: Invalid value. at 0"
WORD = file_parameter("word")

REFUSED = [
    ("no JSON", b"x", 500, NOT_JSON),
    ("parameters that are none", {"parameters": 1}, 500, "attempt to get members for non-object"),
    (
        "an unknown parameter",
        {"parameters": {"speed": "high"}},
        500,
        "unexpected error on creating Triton parameter",
    ),
    (
        "a config that is no string",
        {"parameters": {"config": 1}},
        500,
        "attempt to access JSON non-string as string",
    ),
    ("a config that is no JSON", {"parameters": {"config": "{"}}, 500, POLL_FAILED),
    ("an unknown field", {"parameters": {"config": '{"speed": 1}'}}, 500, POLL_FAILED),
    ("files without a config", {"parameters": {"file:1/word": WORD}}, 500, POLL_FAILED),
    (
        "a file outside the model",
        {"parameters": {"file:../word": WORD, "config": "{}"}},
        500,
        POLL_FAILED,
    ),
    (
        "a file far outside the model",
        {"parameters": {"file:1/../../word": WORD, "config": "{}"}},
        500,
        POLL_FAILED,
    ),
]


@pytest.fixture(scope="module")
def refusing(module_servers):
    return module_servers.start("says", EXPLICIT)


@pytest.mark.parametrize(
    ("content", "status", "message"), [row[1:] for row in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_wrong_requests_to_load_are_refused(refusing, content, status, message):
    data = content if isinstance(content, bytes) else json.dumps(content)
    url = f"{refusing.url}/v2/repository/models/says/load"
    answer = requests.post(url, data=data, timeout=60)
    assert (answer.status_code, error_of(answer)) == (status, message)


def test_a_model_that_is_nowhere_cannot_be_loaded(refusing):
    answer = load(refusing, "nobody")
    assert answer.status_code == 500
    assert error_of(answer) == "failed to load 'nobody', failed to poll from model repository"


def test_a_repository_cannot_be_named(refusing):
    for path in ("load", "unload"):
        url = f"{refusing.url}/v2/repository/mine/models/says/{path}"
        answer = requests.post(url, timeout=60)
        assert answer.status_code == 501
        assert error_of(answer) == "'repository_name' specification is not supported"


def test_the_index_takes_no_other_than_a_boolean(refusing):
    url = f"{refusing.url}/v2/repository/index"
    answer = requests.post(url, json={"ready": 1}, timeout=60)
    assert answer.status_code == 500
    assert error_of(answer) == "attempt to access JSON non-boolean as boolean"


@pytest.mark.hippocamp_only("NVIDIA's server takes a path for the name of a model")
def test_a_name_is_not_a_path(refusing):
    for name in ("a..b", "..%2Fsays"):
        answer = load(refusing, name)
        assert answer.status_code == 400
        assert "must not contain path traversal characters" in error_of(answer)


def test_models_without_versions_or_readable_configs_are_refused(servers):
    server = start_explicit(servers, "says")
    server.repository.write("empty/config.pbtxt", 'backend: "python"\n')
    server.repository.write("odd/config.pbtxt", "speed: 1\n").write("odd/1/model.py", "")
    assert error_of(load(server, "empty")) == (
        "load failed for model 'empty': at least one version must be available under the version "
        "policy of model 'empty'\n"
    )
    answer = load(server, "odd")
    assert answer.status_code == 500
    assert error_of(answer) == "failed to load 'odd', failed to poll from model repository"


@pytest.mark.parametrize("mode", ["none", "poll"])
def test_clients_have_no_say_without_explicit_control(servers, mode):
    server = servers.start("says", f"--model-control-mode={mode}")
    for answer in (load(server, "says"), unload(server, "says")):
        assert answer.status_code == 503
        assert error_of(answer) == (
            "explicit model load / unload is not allowed if polling is enabled"
        )
    assert index(server) == [("says", "1", "READY")]


# ---- At the start ----


def test_models_that_are_named_are_loaded_at_the_start(servers):
    server = start_explicit(servers, "says", "versions", options=["--load-model=says"])
    assert index(server, ready=True) == [("says", "1", "READY")]


def test_a_star_loads_everything(servers):
    server = start_explicit(servers, "says", "gate", options=["--load-model=*"])
    assert index(server, ready=True) == [("gate", "1", "READY"), ("says", "1", "READY")]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            [EXPLICIT, "--load-model=nobody"],
            "error: creating server: Internal - failed to load all models",
        ),
        (
            [EXPLICIT, "--load-model=*", "--load-model=says"],
            "error: creating server: Invalid argument - Wildcard model name '*' must be the ONLY "
            "startup model if specified at all.",
        ),
        (
            ["--load-model=says"],
            "Error: Use of '--load-model' requires setting '--model-control-mode=explicit' as "
            "well.",
        ),
    ],
)
def test_a_start_that_cannot_be_is_refused(servers, options, message):
    with pytest.raises(StartFailed, match="(?s)" + message.replace("*", r"\*")):
        servers.start("says", *options)


def test_a_server_may_start_without_the_models_that_are_named(servers):
    options = ["--load-model=nobody", "--exit-on-error=false"]
    server = start_explicit(servers, "says", options=options)
    assert index(server) == [("says", None, None)]


LATE = """
import pathlib

import numpy as np
import triton_python_backend_utils as pb_utils

TRIES = pathlib.Path(__file__).with_name("tries")


class TritonPythonModel:
    def initialize(self, args):
        with TRIES.open("a") as file:
            file.write(".")
        self.n_tries = TRIES.stat().st_size
        if self.n_tries < 3:
            raise ValueError("not yet")

    def execute(self, requests):
        tries = pb_utils.Tensor("TRIES", np.array([self.n_tries], dtype=np.int32))
        return [pb_utils.InferenceResponse([tries]) for _ in requests]
"""
LATE_CONFIG = """backend: "python"
input [{ name: "INPUT0" data_type: TYPE_INT32 dims: [ 1 ] }]
output [{ name: "TRIES" data_type: TYPE_INT32 dims: [ 1 ] }]
"""


def test_a_load_that_fails_is_tried_again_where_that_is_wanted(servers):
    repository = servers.repository()
    repository.write("late/1/model.py", LATE).write("late/config.pbtxt", LATE_CONFIG)
    server = servers.start(repository, "--model-load-retry-count=2")
    assert outputs(post(server, "late", QUESTION)) == {"TRIES": [3]}


# ---- Several repositories ----


def test_a_name_in_two_repositories_cannot_be_loaded(servers):
    first = servers.repository().add("says").add("gate")
    second = servers.repository().add("says").add("versions")
    server = servers.start(first, EXPLICIT, f"--model-repository={second.path}")
    assert index(server) == [
        ("gate", None, None),
        ("says", None, "UNAVAILABLE"),
        ("versions", None, None),
    ]
    assert reason_of(server, "says") == "model appears in two or more repositories"
    assert load(server, "versions").status_code == 200
    answer = load(server, "says")
    assert answer.status_code == 500
    assert error_of(answer) == "failed to load 'says', failed to poll from model repository"


def test_with_namespaces_a_name_may_be_in_two_repositories(servers):
    first = servers.repository().add("says").add("gate")
    second = servers.repository().add("says")
    server = servers.start(first, "--model-namespacing=true", f"--model-repository={second.path}")
    assert index(server) == [("gate", "1", "READY"), ("says", "1", "READY"), ("says", "1", "READY")]
    answer = post(server, "says", QUESTION)
    assert answer.status_code == 400
    assert error_of(answer) == (
        "There are 2 identifiers of model 'says' in global map, model namespace must be provided "
        "to resolve ambiguity."
    )


def test_custom_config_names_are_used_where_there_are(servers):
    repository = servers.repository().add("says").add("says", name="other")
    config = (FIXTURES / "says" / "config.pbtxt").read_text()
    repository.write("says/configs/wide.pbtxt", config.replace("size: 0", "size: 8"))
    server = servers.start(repository, "--model-config-name=wide")
    client = client_of(server)
    assert client.get_model_config("says")["max_batch_size"] == 8
    assert client.get_model_config("other")["max_batch_size"] == 0
