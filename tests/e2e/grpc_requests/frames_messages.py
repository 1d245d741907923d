"""Messages that are right, unusual or wrong, in calls of one and in streams."""

import gzip
import zlib

from hyperframe import frame

from grpc_requests.cases import given
from grpc_requests.frames import LIVE, STREAM, case, data, head
from harness.http2 import INFER, message

QUESTION = given().SerializeToString()
EMPTY = message(b"")
# Of each kind of method: the path, and a good request.
METHODS = {"small": (LIVE, b""), "infer": (INFER, QUESTION), "stream": (STREAM, QUESTION)}

# What is sent instead of a good request, made from it.
BODIES = {
    "a message": message,
    "no message": lambda good: b"",
    "two messages": lambda good: message(good) * 2,
    "a part of a prefix": lambda good: message(good)[:3],
    "a prefix alone": lambda good: message(good + b"x")[:5],
    "a message cut short": lambda good: message(good + bytes(9))[:-1],
    "a message and a part of a prefix": lambda good: message(good) + b"\0\0",
    "more than the prefix says": lambda good: message(good) + b"\0\0\0\0\2x",
    "a message that is none": lambda good: message(b"\xff\xff\xff"),
    "a field cut short": lambda good: message(good + b"\x0a\x05a"),
    "an unknown field": lambda good: message(good + b"\xfa\x3f\x03abc"),
    "a flag of 2": lambda good: b"\2" + message(good)[1:],
    "a flag of 255": lambda good: b"\xff" + message(good)[1:],
    "a size of 2 GiB": lambda good: b"\0\x80\0\0\0",
    "a size of 4 GiB": lambda good: b"\0\xff\xff\xff\xff",
}

# The coding that is named, whether the message says that it is compressed, and its bytes.
CODED = {
    "gzip": ("gzip", True, gzip.compress(QUESTION)),
    "deflate": ("deflate", True, zlib.compress(QUESTION)),
    "gzip of nothing": ("gzip", True, gzip.compress(b"")),
    "gzip, not compressed": ("gzip", False, QUESTION),
    "identity, compressed": ("identity", True, gzip.compress(QUESTION)),
    "no coding, compressed": (None, True, gzip.compress(QUESTION)),
    "an unknown coding, not compressed": ("snappy", False, QUESTION),
    "an unknown coding, compressed": ("snappy", True, QUESTION),
    "gzip that is none": ("gzip", True, QUESTION),
    "gzip that ends early": ("gzip", True, gzip.compress(QUESTION)[:-9]),
    "gzip with a wrong sum": ("gzip", True, gzip.compress(QUESTION)[:-8] + bytes(8)),
    "gzip and more": ("gzip", True, gzip.compress(QUESTION) + b"x"),
    "gzip in two parts": ("gzip", True, gzip.compress(QUESTION[:9]) + gzip.compress(QUESTION[9:])),
    "deflate without its frame": ("deflate", True, zlib.compress(QUESTION)[2:-4]),
    "no bytes, compressed": ("gzip", True, b""),
}


def pieces(content, stream=1):
    """A frame for each byte."""
    last = len(content) - 1
    return [data(content[i : i + 1], stream, end=i == last) for i in range(len(content))]


CASES = [
    *(
        case(f"{kind}: {name}", head(path=path), data(body(good)))
        for kind, (path, good) in METHODS.items()
        for name, body in BODIES.items()
    ),
    *(
        case(
            f"{kind}: {name}",
            head(path=METHODS[kind][0], grpc_encoding=coding),
            data(message(content, compressed)),
        )
        for kind in ["infer", "stream"]
        for name, (coding, compressed, content) in CODED.items()
    ),
    case("a message in pieces", head(path=INFER), *pieces(message(QUESTION))),
    case(
        "a message with padding",
        head(),
        frame.DataFrame(1, EMPTY, flags=["PADDED", "END_STREAM"], pad_length=9),
    ),
    case("an end of its own", head(), data(EMPTY, end=False), data(b"")),
    case("empty frames first", head(), data(b"", end=False), data(EMPTY)),
    case(
        "a bad message behind a good one",
        head(path=STREAM),
        data(message(QUESTION) + b"\2\0\0\0\0"),
    ),
    case(
        "two calls at once",
        head(stream=1),
        head(path=INFER, stream=3),
        data(message(QUESTION), 3),
        data(EMPTY, 1),
        waits_for=(1, 3),
    ),
    case(
        "a call beside one that is not served",
        head(path="/x", stream=1),
        head(stream=3),
        data(EMPTY, 1),
        data(EMPTY, 3),
        waits_for=(1, 3),
    ),
]
