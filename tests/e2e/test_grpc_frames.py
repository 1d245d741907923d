"""gRPC made of frames by hand, right and wrong, held against what NVIDIA's server did with it."""

import json
import pathlib

import pytest

from grpc_requests.frame_cases import CASES
from grpc_requests.frames import ask, essence, outcome
from grpc_requests.known import FRAMES, OUTCOMES

RECORDED = pathlib.Path(__file__).parent / "grpc_requests" / "frame_answers.json"
ANSWERS = json.loads(RECORDED.read_text())


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start("identity")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_outcome(kind, server, case):
    result = ask(case, server)
    if kind == "hippocamp" and case.name in FRAMES:
        assert essence(result) != essence(ANSWERS[case.name]), "no longer different"
        assert outcome(result) == FRAMES[case.name][1]
    else:
        assert essence(result) == essence(ANSWERS[case.name])


def test_every_case_was_asked():
    names = [case.name for case in CASES]
    assert len(names) == len(set(names)) >= 250
    assert ANSWERS.keys() == set(names)
    assert FRAMES.keys() <= set(names)
    assert len(FRAMES) == sum(map(len, OUTCOMES.values()))
