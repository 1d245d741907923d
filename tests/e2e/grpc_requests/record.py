"""Records NVIDIA's answers to the requests of cases.py in answers.json."""

import json
import pathlib
import sys
import tempfile

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from grpc_requests.answers import ask, fill
from grpc_requests.cases import CASES
from harness.repository import Repository
from harness.server import Server

FILE = pathlib.Path(__file__).with_name("answers.json")


def main():
    kind = sys.argv[1] if len(sys.argv) > 1 else "oracle"
    file = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else FILE
    with tempfile.TemporaryDirectory() as folder:
        repository = fill(Repository(pathlib.Path(folder) / "repository"))
        server = Server(kind, repository)
        answers = {}
        try:
            for name, request in CASES.items():
                with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
                    answers[name] = ask(channel, request, repository)
        finally:
            server.kill()
            file.write_text(
                json.dumps(answers, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
            )


if __name__ == "__main__":
    main()
