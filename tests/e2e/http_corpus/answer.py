"""Answers: received, kept in a file, and compared by what they say, however it is spelled."""

import dataclasses
import gzip
import http.client
import json
import pathlib
import re
import socket
import zlib

from http_corpus import memory

RECORDED = pathlib.Path(__file__).parent / "recorded.jsonl"

TIMEOUT_S = 10

# Headers that mean something to clients. How long a body is, or whether it is sent in chunks, does
# not; that there is a length of the JSON part does, its digits do not.
HEADERS = ["content-type", "content-encoding", "accept-encoding", "inference-header-content-length"]

# What differs from run to run, and what stands for it.
VOLATILE = [
    (re.compile(r'"ns":\d+'), '"ns":0'),
    (re.compile(r'"last_inference":[1-9]\d*'), '"last_inference":1'),
]


@dataclasses.dataclass(frozen=True)
class Answer:
    """An answer; status None when there was none: the connection was closed, or nothing came."""

    status: int | None
    headers: dict = dataclasses.field(default_factory=dict)
    body: bytes = b""

    def to_json(self):
        try:
            body = self.body.decode()
        except UnicodeDecodeError:
            body = {"hex": self.body.hex()}
        return {"status": self.status, "headers": self.headers, "body": body}

    @classmethod
    def from_json(cls, value):
        body = value["body"]
        content = bytes.fromhex(body["hex"]) if isinstance(body, dict) else body.encode()
        return cls(value["status"], value["headers"], content)


def read_answers(file):
    """Answers by the names of their cases."""
    values = [json.loads(line) for line in file.read_text().splitlines()]
    return {value["name"]: Answer.from_json(value) for value in values}


def write_answers(file, answers):
    lines = [
        json.dumps({"name": name, **answer.to_json()}, ensure_ascii=False)
        for name, answer in answers.items()
    ]
    file.write_text("\n".join(lines) + "\n")


def decompress(headers, body):
    coding = headers.get("content-encoding")
    if coding == "gzip":
        return gzip.decompress(body)
    return zlib.decompress(body) if coding == "deflate" else body


def clean(body, server):
    """The body without what differs from run to run."""
    body = body.replace(str(server.repository.path).encode(), b"REPOSITORY")
    body = body.replace(memory.KEY[1:].encode(), b"hippocamp-corpus")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return body
    for pattern, replacement in VOLATILE:
        text = pattern.sub(replacement, text)
    return text.encode()


def exchange(server, case):
    """Sends a case and receives its answer, which lacks what differs from run to run."""
    method = case.data.split(b" ", 1)[0].decode("latin-1")
    with socket.create_connection(("127.0.0.1", server.http_port), TIMEOUT_S) as connection:
        connection.sendall(case.data)
        response = http.client.HTTPResponse(connection, method=method)
        response.begin()
        body = response.read()
    found = {name.lower(): value for name, value in response.getheaders()}
    headers = {name: found[name] for name in HEADERS if name in found}
    return Answer(response.status, headers, clean(decompress(headers, body), server))


def ask(server, case):
    """As exchange, but a server that does not answer is no failure."""
    try:
        return exchange(server, case)
    except (OSError, http.client.HTTPException):
        return Answer(None)


def parsed(text):
    """JSON as what can be compared: objects keep their order, and true is not 1."""

    def told_apart(value):
        if isinstance(value, list | tuple):
            return type(value)(told_apart(each) for each in value)
        return ("bool", value) if isinstance(value, bool) else value

    value = json.loads(
        text,
        object_pairs_hook=lambda pairs: ("object", *pairs),
        parse_constant=lambda name: ("number", name),
    )
    return told_apart(value)


def split_json(answer):
    """The JSON part and what follows it; events are an array. The body for what is no JSON."""
    body, rest = answer.body, b""
    if answer.headers.get("content-type", "").startswith("text/event-stream"):
        events = body.split(b"\n\n")
        body = b"[" + b",".join(event.removeprefix(b"data: ") for event in events[:-1]) + b"]"
    elif length := answer.headers.get("inference-header-content-length"):
        body, rest = body[: int(length)], body[int(length) :]
    try:
        return parsed(body), rest
    except ValueError:
        return body, rest


def differences(expected, found):
    """What of two answers is not the same, in words; none when nothing is."""
    if expected.status != found.status:
        return [f"status {found.status} instead of {expected.status}: {found.body[:300]}"]
    different = []
    for name in HEADERS:
        a, b = expected.headers.get(name), found.headers.get(name)
        if name == "inference-header-content-length":
            a, b = a is not None, b is not None
        if name == "content-type" and not expected.body:
            continue
        if a != b:
            different.append(f"{name} {b!r} instead of {a!r}")
    if split_json(expected) != split_json(found):
        different.append(f"body {found.body[:1000]} instead of {expected.body[:1000]}")
    return different
