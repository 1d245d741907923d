"""Where Hippocamp answers otherwise than NVIDIA's server on purpose: all such places, with reasons.

The tables of the tests hold NVIDIA's answers. An entry here replaces one for Hippocamp; where
NVIDIA's server cannot be asked at all, because the request ends it, `fatal` says so.
"""

import dataclasses

import pytest


@dataclasses.dataclass(frozen=True)
class Difference:
    """What Hippocamp answers instead, and why. `message` None stands for any clear message."""

    status: int
    reason: str
    message: str | None = None
    fatal: bool = False


TOO_DEEP = "documents are read to a depth of 512, and the message says so"
FAR_TOO_MANY = "the message says what is wrong with the shape; NVIDIA's server may end, or hang"
BELOW_ZERO = "the message says what is wrong with the shape"
NO_MESSAGE = "the client should know what is wrong"
SECOND_LENGTH = "NVIDIA's server believes the second of two lengths"
POLITE = "a status tells the client's developer more than a closed connection"

# Requests, by the name that the table of the test gives them.
ANSWERS = {
    # What kills NVIDIA's server, or keeps it busy with gigabytes that nobody sent.
    "deep nesting of data": Difference(400, TOO_DEEP, fatal=True),
    "deep nesting left open": Difference(400, TOO_DEEP),
    "deep nesting of arrays": Difference(400, TOO_DEEP),
    "deep nesting of objects": Difference(400, TOO_DEEP),
    "2^63 elements": Difference(400, FAR_TOO_MANY),
    "a product beyond 64 bits": Difference(400, FAR_TOO_MANY),
    "2^31 elements": Difference(400, FAR_TOO_MANY, fatal=True),
    "10^12 elements": Difference(400, FAR_TOO_MANY, fatal=True),
    "2^61 elements": Difference(400, FAR_TOO_MANY, fatal=True),
    "2^62 elements": Difference(400, FAR_TOO_MANY, fatal=True),
    "2^63-1 elements": Difference(400, FAR_TOO_MANY, fatal=True),
    "2^64-1 elements": Difference(400, FAR_TOO_MANY, fatal=True),
    # Requests that are no HTTP/1.1.
    "no HTTP": Difference(400, POLITE),
    "a request line of one word": Difference(400, POLITE),
    "bare line feeds": Difference(400, POLITE),
    "a folded header": Difference(400, POLITE),
    "a Content-Length in words": Difference(400, POLITE),
    "a Content-Length below zero": Difference(400, POLITE),
    "a Content-Length with a sign": Difference(400, POLITE),
    "a Content-Length beyond 64 bits": Difference(400, POLITE),
    "two lengths": Difference(400, SECOND_LENGTH, fatal=True),
    "a length and chunks": Difference(400, POLITE),
    "a chunk size that is no number": Difference(400, POLITE),
    "a header too large": Difference(431, POLITE),
    "a path too long": Difference(414, POLITE),
}

# Requests over gRPC: the status and its text (None: any) instead of NVIDIA's, and why.
GRPC_ANSWERS = {
    "a negative extent": ("INVALID_ARGUMENT", None, BELOW_ZERO),
}

# Streams over gRPC: the status and its text instead of NVIDIA's, and why.
GRPC_STREAMS = {
    "no message": ("INTERNAL", "Unable to parse request", NO_MESSAGE),
}

# Models that NVIDIA's server cannot be started with.
MODELS = {
    "no model.py": "NVIDIA's server waits for ever for a process that has ended",
}


class Differences:
    """Chooses the expectations for the server that is tested."""

    def __init__(self, kind):
        self._kind = kind

    def expected(self, name, status, message):
        """The answer to the request `name`, given NVIDIA's; skips what NVIDIA's cannot be asked."""
        difference = ANSWERS.get(name)
        if self._kind == "oracle":
            if difference is not None and difference.fatal:
                pytest.skip(difference.reason)
            return status, message
        if difference is None:
            return status, message
        return difference.status, difference.message

    def expected_over_grpc(self, name, answer):
        """The answer to the request `name`, given NVIDIA's recorded one."""
        if self._kind == "oracle" or name not in GRPC_ANSWERS:
            return answer
        code, details, _ = GRPC_ANSWERS[name]
        return {"code": code, "details": details}

    def expected_stream(self, name, stream):
        """The answers and the status of the stream `name`, given NVIDIA's recorded ones."""
        if self._kind == "oracle" or name not in GRPC_STREAMS:
            return stream
        code, details, _ = GRPC_STREAMS[name]
        return {**stream, "code": code, "details": details}

    def skip_fatal(self, name):
        """Skips a test of the model `name` that NVIDIA's server cannot be started with."""
        if self._kind == "oracle" and name in MODELS:
            pytest.skip(MODELS[name])
