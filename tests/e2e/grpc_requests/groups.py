"""The groups of questions about the server and its models, each with the server that it is for."""

import dataclasses
from collections.abc import Callable

from grpc_requests import control_memory, control_repository, control_settings, control_state
from grpc_requests.control import Case, ask_all
from harness.repository import Repository
from http_corpus.setting import shared_memory


@dataclasses.dataclass(frozen=True)
class Group:
    """Cases, how a repository is filled for them, and the options of the server."""

    cases: list[Case]
    fill: Callable[[Repository], Repository]
    options: tuple[str, ...] = ()

    def answers(self, server):
        """The answers of a server by the names of the cases."""
        with shared_memory():
            return ask_all(self.cases, server)


def with_models(*models):
    def fill(repository):
        for model in models:
            repository.add(model)
        return repository

    return fill


GROUPS = {
    "state": Group(control_state.CASES, with_models(*control_state.MODELS)),
    "settings": Group(control_settings.CASES, with_models("identity")),
    "memory": Group(control_memory.CASES, with_models("identity")),
    "repository": Group(
        control_repository.CASES,
        control_repository.fill,
        ("--model-control-mode=explicit", "--load-model=identity"),
    ),
    **{
        mode: Group(cases, with_models("identity"), (f"--model-control-mode={mode}",))
        for mode, cases in control_repository.UNCONTROLLED.items()
    },
}
