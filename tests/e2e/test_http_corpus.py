"""Hippocamp's answers to the corpus of raw requests, held against those of NVIDIA's server."""

import pytest

from http_corpus import CASES
from http_corpus.answer import RECORDED, Answer, ask, read_answers
from http_corpus.judge import complaints
from http_corpus.known import KNOWN, Known
from http_corpus.setting import fill, shared_memory

ANSWERS = read_answers(RECORDED)
THEIRS = pytest.mark.hippocamp_only("what is compared with are the answers of NVIDIA's server")


@pytest.fixture(scope="module")
def server(module_servers):
    with shared_memory():
        yield module_servers.start(fill(module_servers.repository()))


def test_names_are_unique():
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))
    assert len(names) >= 400
    assert set(KNOWN) <= set(names)
    assert ANSWERS.keys() == set(names)


@THEIRS
@pytest.mark.parametrize("case", CASES, ids=str)
def test_answer(server, case):
    assert not complaints(ANSWERS[case.name], ask(server, case), KNOWN.get(case.name))


# ---- The comparison itself ----

JSON = {"content-type": "application/json"}
GIVEN = Answer(200, JSON, b'{"a":1.5,"b":[1,2]}')
BINARY = Answer(200, {**JSON, "inference-header-content-length": "7"}, b'{"a":1}xyz')
EVENTS = Answer(200, {"content-type": "text/event-stream"}, b'data: {"a":1}\n\ndata: {"a":2}\n\n')
PLAIN = Answer(400, {"content-type": "text/plain"}, b'{"error":"no"}')

SAME = {
    "the answer itself": (GIVEN, GIVEN),
    "blanks": (GIVEN, Answer(200, JSON, b'{"a": 1.5, "b": [1, 2]}')),
    "numbers spelled otherwise": (GIVEN, Answer(200, JSON, b'{"a":15e-1,"b":[1,2]}')),
    "an error that is called JSON": (PLAIN, Answer(400, JSON, b'{"error":"no"}')),
    "a JSON part with more blanks": (
        BINARY,
        Answer(200, {**JSON, "inference-header-content-length": "8"}, b'{"a": 1}xyz'),
    ),
    "no answer": (Answer(None), Answer(None)),
}

DIFFERENT = {
    "a status": (GIVEN, Answer(201, JSON, GIVEN.body)),
    "a header": (GIVEN, Answer(200, {"content-type": "text/plain"}, GIVEN.body)),
    "a header that is missing": (BINARY, Answer(200, JSON, BINARY.body)),
    "an encoding": (GIVEN, Answer(200, {**JSON, "content-encoding": "gzip"}, GIVEN.body)),
    "a number": (GIVEN, Answer(200, JSON, b'{"a":1.25,"b":[1,2]}')),
    "a key": (GIVEN, Answer(200, JSON, b'{"A":1.5,"b":[1,2]}')),
    "the order of keys": (GIVEN, Answer(200, JSON, b'{"b":[1,2],"a":1.5}')),
    "the order of elements": (GIVEN, Answer(200, JSON, b'{"a":1.5,"b":[2,1]}')),
    "true instead of a number": (GIVEN, Answer(200, JSON, b'{"a":1.5,"b":[true,2]}')),
    "an object instead of an array": (
        Answer(200, JSON, b'{"a":[]}'),
        Answer(200, JSON, b'{"a":{}}'),
    ),
    "a word instead of a number": (Answer(200, JSON, b"[NaN]"), Answer(200, JSON, b'["NaN"]')),
    "a key twice": (GIVEN, Answer(200, JSON, b'{"a":1.5,"a":1.5,"b":[1,2]}')),
    "a message": (PLAIN, Answer(400, JSON, b'{"error":"No"}')),
    "what follows the JSON part": (BINARY, Answer(200, BINARY.headers, b'{"a":1}xyZ')),
    "an event": (EVENTS, Answer(200, EVENTS.headers, b'data: {"a":1}\n\n')),
    "an answer where there was none": (Answer(None), GIVEN),
    "none where there was one": (GIVEN, Answer(None)),
}


@pytest.mark.parametrize("name", SAME)
def test_what_says_the_same_is_the_same(name):
    assert not complaints(*SAME[name])


@pytest.mark.parametrize("name", DIFFERENT)
def test_an_unlisted_difference_is_found(name):
    assert complaints(*DIFFERENT[name])


@pytest.mark.parametrize("name", SAME)
def test_a_listed_difference_that_vanished_is_found(name):
    recorded, answer = SAME[name]
    assert complaints(recorded, answer, Known(answer.status, "said to differ"))


def test_a_listed_difference_is_the_one_that_is_listed():
    answer = Answer(404, JSON, b'{"error":"not here"}')
    assert not complaints(GIVEN, answer, Known(404, "listed", "not here"))
    assert complaints(GIVEN, answer, Known(404, "listed", "gone"))
    assert complaints(GIVEN, answer, Known(400, "listed", "not here"))
