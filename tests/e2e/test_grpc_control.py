"""Questions about the server and its models over gRPC, held against NVIDIA's recorded answers."""

import json
import pathlib

import pytest

from grpc_requests.groups import GROUPS
from grpc_requests.known import CONTROL

RECORDED = pathlib.Path(__file__).parent / "grpc_requests" / "control_answers.json"
ANSWERS = json.loads(RECORDED.read_text())
CASES = [(name, case.name) for name, group in GROUPS.items() for case in group.cases]


class Groups:
    """The answers to each group, all asked when the first of them is wanted, since cases follow
    from each other."""

    def __init__(self, servers):
        self._servers = servers
        self._answers = {}

    def answer(self, name, case):
        if name not in self._answers:
            group = GROUPS[name]
            repository = group.fill(self._servers.repository())
            server = self._servers.start(repository, *group.options)
            self._answers[name] = group.answers(server)
        return self._answers[name][case]


@pytest.fixture(scope="module")
def groups(module_servers):
    return Groups(module_servers)


@pytest.mark.parametrize(("group", "name"), CASES)
def test_answer(kind, groups, group, name):
    expected = ANSWERS[name]
    if kind == "hippocamp" and name in CONTROL:
        expected = CONTROL[name].answer(expected)
        assert expected != ANSWERS[name], "no longer different"
    assert groups.answer(group, name) == expected


def test_every_answer_was_asked_for():
    names = [name for _, name in CASES]
    assert len(names) == len(set(names)) >= 400
    assert ANSWERS.keys() == set(names)
    assert CONTROL.keys() <= set(names)
