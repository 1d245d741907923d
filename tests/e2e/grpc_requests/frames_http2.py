"""Frames that are right, unusual or wrong by HTTP/2."""

import struct

from hyperframe import frame

from grpc_requests.frames import Head, case, data, head
from harness.http2 import message

EMPTY = message(b"")
END_ALL = ("END_HEADERS", "END_STREAM")
WINDOW, MAX_FRAME, PUSH = 4, 5, 2


def raw_frame(kind, stream=0, payload=b"", flags=0):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def setting(number, value):
    return raw_frame(4, payload=struct.pack(">HI", number, value))


def alone(name, *items):
    """What is sent in place of a call."""
    return case(name, *items, waits_for=())


def beside(name, *items):
    """What is sent between the two halves of a call."""
    return case(name, head(), *items, data(EMPTY))


DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, UPDATE, CONTINUATION = (
    range(10)
)

CASES = [
    # Of streams.
    alone("data before headers", data(EMPTY)),
    alone("data on stream 0", raw_frame(DATA, 0, EMPTY)),
    alone("headers on stream 0", raw_frame(HEADERS, 0, b"\x83", 4)),
    alone("a stream of an even number", head(stream=2), data(EMPTY, 2)),
    case("a stream of a high number", head(stream=7), data(EMPTY, 7), waits_for=(7,)),
    case(
        "a lower stream later", head(stream=3), data(EMPTY, 3), head(), data(EMPTY), waits_for=(3,)
    ),
    case("data behind the end", head(), data(EMPTY), data(EMPTY)),
    case("headers behind the end", head(), data(EMPTY), Head((("a", "b"),))),
    case("headers twice", head(), Head((("a", "b"),)), data(EMPTY)),
    case("trailers", head(), data(EMPTY, end=False), Head((("a", "b"),), flags=END_ALL)),
    case("trailers with a path", head(), data(EMPTY, end=False), head(flags=END_ALL)),
    case("trailers without an end", head(), data(EMPTY, end=False), Head((("a", "b"),)), data(b"")),
    # Of headers in parts.
    alone("a continuation of nothing", raw_frame(CONTINUATION, 1, b"\x83", 4)),
    case("data within headers", head(flags=()), data(EMPTY)),
    case("a ping within headers", head(flags=()), frame.PingFrame(0, bytes(8))),
    case(
        "headers in parts",
        head(flags=()),
        frame.ContinuationFrame(1, b"", flags=["END_HEADERS"]),
        data(EMPTY),
    ),
    case("another stream's continuation", head(flags=()), raw_frame(CONTINUATION, 3, b"", 4)),
    alone("an index that HPACK has not", raw_frame(HEADERS, 1, b"\xff\xff\x01", 5)),
    alone("the index 0", raw_frame(HEADERS, 1, b"\x80", 5)),
    alone("a string of HPACK cut short", raw_frame(HEADERS, 1, b"\x83\x04\x7fabc", 5)),
    alone("a table of HPACK too large", raw_frame(HEADERS, 1, b"\x3f\xe1\xff\xff\x7f", 5)),
    alone("bad letters of HPACK", raw_frame(HEADERS, 1, b"\x04\x84\xff\xff\xff\xff", 5)),
    alone("headers of nothing", raw_frame(HEADERS, 1, b"", 5)),
    alone("headers with too much padding", raw_frame(HEADERS, 1, b"\x05\x83", 13)),
    # Of windows.
    beside("a window opened by nothing", raw_frame(UPDATE, 0, bytes(4))),
    beside("a stream's window opened by nothing", raw_frame(UPDATE, 1, bytes(4))),
    beside("a window opened too far", raw_frame(UPDATE, 0, b"\x7f\xff\xff\xff") * 2),
    beside("a stream's window opened too far", raw_frame(UPDATE, 1, b"\x7f\xff\xff\xff") * 2),
    beside("a window of three bytes", raw_frame(UPDATE, 0, bytes(3))),
    alone("an idle stream's window", raw_frame(UPDATE, 1, b"\0\0\0\1")),
    # Of resets.
    alone("a reset of an idle stream", raw_frame(RST_STREAM, 1, bytes(4))),
    alone("a reset of stream 0", raw_frame(RST_STREAM, 0, bytes(4))),
    beside("a reset of three bytes", raw_frame(RST_STREAM, 1, bytes(3))),
    case(
        "a reset behind the end",
        head(),
        data(EMPTY),
        frame.RstStreamFrame(3, 8),
    ),
    # Of settings.
    beside("settings again", frame.SettingsFrame(0)),
    beside("unknown settings", setting(0x99, 7)),
    beside("settings of five bytes", raw_frame(SETTINGS, 0, bytes(5))),
    beside("settings on a stream", raw_frame(SETTINGS, 1)),
    beside("an acknowledgement with settings", raw_frame(SETTINGS, 0, bytes(6), 1)),
    beside("an acknowledgement of nothing", raw_frame(SETTINGS, 0, b"", 1)),
    beside("a window too large", setting(WINDOW, 2**31)),
    beside("frames too small", setting(MAX_FRAME, 16383)),
    beside("frames too large", setting(MAX_FRAME, 2**24)),
    beside("pushing neither on nor off", setting(PUSH, 2)),
    # Of the others.
    beside("a ping", raw_frame(PING, 0, bytes(8))),
    beside("a ping of seven bytes", raw_frame(PING, 0, bytes(7))),
    beside("a ping on a stream", raw_frame(PING, 1, bytes(8))),
    beside("an answer to no ping", raw_frame(PING, 0, bytes(8), 1)),
    beside("a priority", raw_frame(PRIORITY, 1, b"\0\0\0\3\x10")),
    beside("a priority of four bytes", raw_frame(PRIORITY, 1, bytes(4))),
    beside("a priority on stream 0", raw_frame(PRIORITY, 0, bytes(5))),
    beside("a stream that depends on itself", raw_frame(PRIORITY, 1, b"\0\0\0\1\x10")),
    beside("a promise", raw_frame(PUSH_PROMISE, 1, b"\0\0\0\2\x83", 4)),
    beside("a farewell", raw_frame(GOAWAY, 0, bytes(8))),
    beside("a farewell on a stream", raw_frame(GOAWAY, 1, bytes(8))),
    beside("an unknown kind of frame", raw_frame(0x77, 1, b"abc", 0xFF)),
    beside("a frame too long", raw_frame(0x77, 0, bytes(16385))),
    beside("data with too much padding", raw_frame(DATA, 1, b"\x05abc", 8)),
    beside("a reserved bit", raw_frame(PING, 0x80000000, bytes(8))),
]
