"""Records NVIDIA's answers: to the requests of cases.py and streams.py in answers.json and
stream_answers.json, to what is asked about the server in control_answers.json, and to frames made
by hand in frame_answers.json."""

import contextlib
import json
import pathlib
import sys
import tempfile

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from grpc_requests import frame_cases, frames
from grpc_requests.answers import ask, ask_stream, fill
from grpc_requests.cases import CASES
from grpc_requests.groups import GROUPS
from grpc_requests.streams import STREAMS
from harness.repository import Repository
from harness.server import start_patiently

FOLDER = pathlib.Path(__file__).parent


class Recorder:
    """Asks servers that live as long as a question's answers are collected."""

    def __init__(self, kind, scratch):
        self._kind = kind
        self._scratch = pathlib.Path(scratch)

    @contextlib.contextmanager
    def _server(self, fill, *options):
        folder = self._scratch / f"repository-{len(list(self._scratch.iterdir()))}"
        server = start_patiently(self._kind, fill(Repository(folder)), options)
        try:
            yield server
        finally:
            server.kill()

    def requests_and_streams(self):
        with (
            self._server(fill) as server,
            grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel,
        ):
            return (
                {name: ask(channel, request, server) for name, request in CASES.items()},
                {name: ask_stream(channel, *stream) for name, stream in STREAMS.items()},
            )

    def control(self):
        answers = {}
        for group in GROUPS.values():
            with self._server(group.fill, *group.options) as server:
                answers.update(group.answers(server))
        return answers

    def frames(self):
        with self._server(lambda repository: repository.add(frame_cases.MODEL)) as server:
            return {case.name: frames.ask(case, server) for case in frame_cases.CASES}


def contents_of(recorder):
    """The contents of each file by its name."""
    answers, stream_answers = recorder.requests_and_streams()
    return {
        "answers.json": answers,
        "stream_answers.json": stream_answers,
        "control_answers.json": recorder.control(),
        "frame_answers.json": recorder.frames(),
    }


def main():
    kind = sys.argv[1] if len(sys.argv) > 1 else "oracle"
    folder = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else FOLDER
    with tempfile.TemporaryDirectory() as scratch:
        contents = contents_of(Recorder(kind, scratch))
    for name, answers in contents.items():
        text = json.dumps(answers, indent=1, sort_keys=True, ensure_ascii=False)
        (folder / name).write_text(text + "\n")


if __name__ == "__main__":
    main()
