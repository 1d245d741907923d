"""Hippocamp's answers to the corpus of raw requests, compared with those that NVIDIA's server gave.

pytest tests/e2e/test_http_corpus.py                  compares with what was recorded
HC_ORACLE='…' pytest tests/e2e/test_http_corpus.py --server=oracle
                                                      records anew
"""

import dataclasses
import json
import pathlib

import pytest

from http_corpus import CASES, memory
from http_corpus.answer import Answer, ask, differences
from http_corpus.known import KNOWN

RECORDED = pathlib.Path(__file__).parent / "http_corpus" / "recorded.jsonl"

MODELS = [
    "add_sub",
    "batched",
    "identity",
    "misbehaves",
    "optional",
    "repeat",
    "request_info",
    "scores",
    "strings",
    "versions",
]
DATATYPES = [
    *("BOOL", "FP16", "FP64", "INT8", "INT16", "INT32", "INT64"),
    *("UINT8", "UINT16", "UINT32", "UINT64", "BYTES"),
]


@pytest.fixture(scope="module")
def start(module_servers):
    """Starts a server on the models that the corpus is about."""
    repository = module_servers.repository()
    for model in MODELS:
        repository.add(model)
    for datatype in DATATYPES:
        in_config = "TYPE_STRING" if datatype == "BYTES" else f"TYPE_{datatype}"
        repository.add("identity", datatype.lower(), edit={"TYPE_FP32": in_config})
    repository.add("identity", "counted")
    paths = [pathlib.Path(f"/dev/shm{key}") for key in (memory.KEY, memory.KEY_2)]
    for path in paths:
        path.write_bytes(bytes(range(64)) * (memory.SIZE // 64))
    yield lambda: module_servers.start(repository)
    for path in paths:
        path.unlink()


@pytest.fixture(scope="module")
def server(start):
    return start()


@pytest.fixture(scope="module")
def recorded():
    answers = {}
    for line in RECORDED.read_text().splitlines():
        value = json.loads(line)
        answers[value["name"]] = Answer.from_json(value)
    return answers


def expected(recorded):
    """The answer that Hippocamp should give: all errors are called the JSON that they are."""
    if recorded.headers.get("content-type") != "text/plain" or not recorded.body:
        return recorded
    headers = {**recorded.headers, "content-type": "application/json"}
    return dataclasses.replace(recorded, headers=headers)


def is_as_known(answer, known):
    return answer.status == known.status and known.body in answer.body.decode("utf-8", "replace")


def test_names_are_unique():
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))
    assert len(names) >= 400
    assert set(KNOWN) <= set(names)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_answer(kind, case, request):
    if kind == "oracle":
        pytest.skip("test_record asks all of them")
    answer = ask(request.getfixturevalue("server"), case)
    different = differences(expected(request.getfixturevalue("recorded")[case.name]), answer)
    known = KNOWN.get(case.name)
    if known is None:
        assert not different
    else:
        assert different, f"no longer different: {known.reason}"
        assert is_as_known(answer, known), (answer, known)


def test_record(kind, start):
    """Writes down what NVIDIA's server answers, starting it again when it has died."""
    if kind != "oracle":
        pytest.skip("what is recorded are the answers of NVIDIA's server")
    server = start()
    lines = []
    for case in CASES:
        answer = ask(server, case)
        if answer.status is None or server.process.poll() is not None:
            server = restart_if_dead(server, start)
        lines.append(json.dumps({"name": case.name, **answer.to_json()}, ensure_ascii=False))
    RECORDED.write_text("\n".join(lines) + "\n")


def restart_if_dead(server, start):
    """A server that answers: this one, or another one after a request that ended it."""
    try:
        server.process.wait(1)
    except Exception:
        return server
    server.finish()
    return start()
