"""Records NVIDIA's answers to the corpus in recorded.jsonl.

Some requests end NVIDIA's server, and some leave it wounded: it dies a little later, of a request
that it would have answered. So it is started anew after each that it does not answer, and when one
is without an answer that had one before, its group is asked again from the first.
"""

import http.client
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from harness.repository import Repository
from harness.server import start_patiently
from http_corpus import GROUPS
from http_corpus.answer import RECORDED, Answer, exchange, read_answers, write_answers
from http_corpus.setting import fill, shared_memory

N_ATTEMPTS = 3


class Oracle:
    """A server that is there again when a request has ended it, or one of its threads."""

    def __init__(self, kind, repository):
        self._start = lambda: start_patiently(kind, repository)
        self._server = self._start()

    def ask(self, case):
        """The answer to a case, and whether the server is still the one that it was."""
        try:
            return exchange(self._server, case), True
        except TimeoutError:
            is_well = False
        except (OSError, http.client.HTTPException):
            is_well = self._server.answers("/v2/health/live")
        if not is_well:
            self._server.kill()
            self._server = self._start()
        return Answer(None), is_well

    def end(self):
        self._server.kill()


def answers_of(oracle, group, before):
    """The answers to a group by name; None when the server has died of what it answered before."""
    answers = {}
    for case in group:
        answer, is_well = oracle.ask(case)
        answers[case.name] = answer
        if not is_well and before.get(case.name, answer).status is not None:
            print(f"{case.name!r} was answered before; its group is asked again", flush=True)
            return None
    return answers


def record(oracle, before):
    answers = {}
    for group in GROUPS:
        attempts = (answers_of(oracle, group, before) for _ in range(N_ATTEMPTS))
        of_group = next((found for found in attempts if found is not None), None)
        if of_group is None:
            sys.exit("NVIDIA's server does not answer what it answered before")
        answers.update(of_group)
    return answers


def main():
    kind = sys.argv[1] if len(sys.argv) > 1 else "oracle"
    file = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else RECORDED
    with tempfile.TemporaryDirectory() as scratch, shared_memory():
        oracle = Oracle(kind, fill(Repository(pathlib.Path(scratch) / "repository")))
        try:
            answers = record(oracle, read_answers(RECORDED))
        finally:
            oracle.end()
    write_answers(file, answers)


if __name__ == "__main__":
    main()
