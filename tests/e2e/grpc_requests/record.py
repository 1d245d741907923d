"""Records NVIDIA's answers to the requests of cases.py and streams.py in answers.json and
stream_answers.json."""

import json
import pathlib
import sys
import tempfile

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from grpc_requests.answers import ask, ask_stream, fill
from grpc_requests.cases import CASES
from grpc_requests.streams import STREAMS
from harness.repository import Repository
from harness.server import start_patiently

FOLDER = pathlib.Path(__file__).parent


def answers_of(server, repository):
    """The contents of each file by its name."""
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        return {
            "answers.json": {
                name: ask(channel, request, repository) for name, request in CASES.items()
            },
            "stream_answers.json": {
                name: ask_stream(channel, *stream) for name, stream in STREAMS.items()
            },
        }


def main():
    kind = sys.argv[1] if len(sys.argv) > 1 else "oracle"
    folder = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else FOLDER
    with tempfile.TemporaryDirectory() as scratch:
        repository = fill(Repository(pathlib.Path(scratch) / "repository"))
        server = start_patiently(kind, repository)
        try:
            contents = answers_of(server, repository)
        finally:
            server.kill()
    for name, answers in contents.items():
        text = json.dumps(answers, indent=1, sort_keys=True, ensure_ascii=False)
        (folder / name).write_text(text + "\n")


if __name__ == "__main__":
    main()
