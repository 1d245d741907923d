"""Records NVIDIA's answers: to the requests of cases.py and streams.py in answers.json and
stream_answers.json, to what is asked about the server in control_answers.json, and to frames made
by hand in frame_answers.json."""

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
N_ATTEMPTS = 3


class Recorder:
    """Asks servers, each for a group of questions. NVIDIA's sometimes dies of what it has answered
    at other times; then the group is asked again from the first."""

    def __init__(self, kind, scratch):
        self._kind = kind
        self._scratch = pathlib.Path(scratch)

    def _answers(self, ask_all, fill, options=()):
        for _ in range(N_ATTEMPTS):
            folder = self._scratch / f"repository-{len(list(self._scratch.iterdir()))}"
            server = start_patiently(self._kind, fill(Repository(folder)), options)
            try:
                answers = ask_all(server)
                if server.answers("/v2/health/live"):
                    return answers
            except OSError:
                pass  # it has died
            finally:
                server.kill()
        sys.exit("NVIDIA's server does not answer what it answered before")

    def requests(self):
        return self._answers(ask_requests, fill)

    def streams(self):
        return self._answers(ask_streams, fill)

    def control(self):
        answers = {}
        for group in GROUPS.values():
            answers.update(self._answers(group.answers, group.fill, group.options))
        return answers

    def frames(self):
        return self._answers(ask_frames, lambda repository: repository.add(frame_cases.MODEL))


def ask_requests(server):
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        return {name: ask(channel, request, server) for name, request in CASES.items()}


def ask_streams(server):
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        return {name: ask_stream(channel, *stream) for name, stream in STREAMS.items()}


def ask_frames(server):
    return {case.name: frames.ask(case, server) for case in frame_cases.CASES}


def contents_of(recorder):
    """The contents of each file by its name."""
    return {
        "answers.json": recorder.requests(),
        "stream_answers.json": recorder.streams(),
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
