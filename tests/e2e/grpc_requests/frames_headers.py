"""Calls whose header fields are right, unusual or wrong."""

import base64

from grpc_requests.frames import LIVE, STREAM, Head, case, data, fields, head
from harness.http2 import message

EMPTY = message(b"")
SERVICE = "/inference.GRPCInferenceService"


def called(name, *more, **changes):
    """A call with fields that are changed, or added."""
    return case(name, head(*more, **changes), data(EMPTY))


def listed(name, *pairs):
    """A call with just these fields."""
    return case(name, Head(pairs), data(EMPTY))


CASES = [
    called("a usual call"),
    case("a call without a body", head(flags=("END_HEADERS", "END_STREAM"))),
    *(
        called(f"content-type {value!r}", content_type=value)
        for value in [
            None,
            "",
            "application/grpc+proto",
            "application/grpc+json",
            "application/grpc;charset=utf-8",
            "application/grpc ",
            "application/grpcx",
            "application/grpc-web",
            "APPLICATION/GRPC",
            "application/json",
            "text/plain",
        ]
    ),
    called("two content-types", ("content-type", "text/plain")),
    *(
        called(f":method {value!r}", method=value)
        for value in [None, "", "GET", "PUT", "post", "CONNECT", "OPTIONS"]
    ),
    *(called(f":scheme {value!r}", scheme=value) for value in [None, "", "https", "ftp"]),
    *(
        called(f":path {value!r}", path=value)
        for value in [
            None,
            "",
            "/",
            "//",
            "*",
            LIVE[1:],
            LIVE + "/",
            LIVE + "?a=b",
            LIVE.lower(),
            "/" + LIVE,
            f"{SERVICE}/",
            f"{SERVICE}/Nothing",
            "/inference.Nothing/ServerLive",
            "/GRPCInferenceService/ServerLive",
            "/inference.GRPCInferenceService",
            "http://localhost" + LIVE,
        ]
    ),
    called(":authority left out", authority=None),
    called(":authority ''", authority=""),
    called("a host instead of :authority", ("host", "localhost"), authority=None),
    called("a host besides :authority", ("host", "other")),
    *(called(f"te {value!r}", te=value) for value in [None, "", "gzip", "trailers, deflate"]),
    *(
        called(f"grpc-timeout {value!r}", grpc_timeout=value)
        for value in [
            *("1H", "1M", "60S", "60000m", "60000000u", "99999999n", "99999999H"),
            *("", "S", "1", "1X", "1s", "-1S", "+1S", "1 S", " 1S", "1.5S", "1SS", "999999999S"),
        ]
    ),
    *(
        called(f"grpc-timeout {value!r} of a {kind} call", grpc_timeout=value, path=path)
        for value in ["0H", "0S", "0n", "00000000m"]
        for kind, path in {"small": LIVE, "streaming": STREAM}.items()
    ),
    *(
        called(f"grpc-encoding {value!r}", grpc_encoding=value)
        for value in ["identity", "gzip", "deflate", "snappy", "GZIP", "", "gzip,deflate"]
    ),
    *(
        called(f"grpc-accept-encoding {value!r}", grpc_accept_encoding=value)
        for value in ["identity", "gzip", "snappy", "", "gzip;q=1"]
    ),
    # Metadata.
    called("metadata", ("a", "b"), ("a", "c"), ("user-agent", "me"), ("cookie", "x=y")),
    called("metadata without a value", ("a", "")),
    called("metadata with blanks around it", ("a", " b ")),
    called("metadata beyond ASCII", ("a", "é".encode())),
    called("metadata with a line feed", ("a", b"b\nc")),
    called("metadata with a NUL", ("a", b"b\0c")),
    called("binary metadata", ("a-bin", base64.b64encode(b"\0\xff\1").decode())),
    called("binary metadata without its padding", ("a-bin", "AA")),
    called("binary metadata with its padding", ("a-bin", "AA==")),
    called("binary metadata twice", ("a-bin", "AAAA"), ("a-bin", "////")),
    called("binary metadata with a comma", ("a-bin", "AAAA,////")),
    called("binary metadata that is no base64", ("a-bin", "!!!")),
    called("binary metadata of a wrong length", ("a-bin", "AAAAA")),
    called("binary metadata of nothing", ("a-bin", "")),
    called("metadata of gRPC's own", ("grpc-mine", "b")),
    called("a status", ("grpc-status", "0")),
    called("4 KB of metadata", ("a", "x" * 4000)),
    called("14 KB of metadata", *((f"a{i}", "x" * 1000) for i in range(14))),
    called("metadata of many names", *((f"a{i}", "") for i in range(150))),
    # What is no header of HTTP/2.
    called("a name in capitals", ("A", "b")),
    called("a name with a blank", ("a b", "c")),
    called("a name without letters", ("", "b")),
    called("connection", ("connection", "keep-alive")),
    called("transfer-encoding", ("transfer-encoding", "chunked")),
    called("an unknown pseudo-header", (":x", "y")),
    called("a response's pseudo-header", (":status", "200")),
    called("a pseudo-header behind others", ("a", "b"), (":path", LIVE)),
    called("a length", ("content-length", str(len(EMPTY)))),
    called("a wrong length", ("content-length", "7")),
    called("a length that is none", ("content-length", "x")),
    listed("pseudo-headers last", *fields()[4:], *fields()[:4]),
    listed("a path twice", *fields()[:3], (":path", LIVE), *fields()[3:]),
    listed("no fields"),
]
