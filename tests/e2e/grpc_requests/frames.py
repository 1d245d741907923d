"""Calls made of frames by hand: what a case is, how it is sent, and what is kept of what comes.

Every case has a connection of its own, on which a usual call follows if it is still open.
"""

import dataclasses

import hpack
from hyperframe import frame
from tritonclient.grpc import service_pb2 as pb

from grpc_requests.answers import clean, plain
from harness.http2 import INFER, Answer, Connection, message

LIVE = "/inference.GRPCInferenceService/ServerLive"
STREAM = "/inference.GRPCInferenceService/ModelStreamInfer"
ANSWERS = {INFER: pb.ModelInferResponse, STREAM: pb.ModelStreamInferResponse}
N_STREAMS = 5
TIMEOUT_S = 10

USUAL = {
    ":method": "POST",
    ":scheme": "http",
    ":path": LIVE,
    ":authority": "localhost",
    "content-type": "application/grpc",
    "te": "trailers",
}


@dataclasses.dataclass(frozen=True)
class Head:
    """A frame HEADERS, of fields that are encoded when it is sent."""

    fields: tuple
    stream: int = 1
    flags: tuple = ("END_HEADERS",)

    def frame(self, connection):
        return frame.HeadersFrame(self.stream, connection.encode(self.fields), flags=self.flags)


@dataclasses.dataclass(frozen=True)
class Case:
    """Frames, or bytes, that are sent at once, and the streams whose ends are waited for."""

    name: str
    items: tuple
    waits_for: tuple

    def answer_kind(self, stream):
        """The type of the messages on a stream."""
        paths = [
            dict(item.fields).get(":path")
            for item in self.items
            if isinstance(item, Head) and item.stream == stream
        ]
        return ANSWERS.get(paths[0] if paths else LIVE, pb.ServerLiveResponse)


def case(name, *items, waits_for=(1,)):
    return Case(name, items, waits_for)


def fields(*more, **changes):
    """The usual fields of a call; of those that are changed, None leaves one out. In names, `_`
    stands for `-`, and pseudo-header fields have no colon."""
    pseudo = {name.lstrip(":"): name for name in USUAL}
    changed = {pseudo.get(name, name.replace("_", "-")): value for name, value in changes.items()}
    return tuple(
        (name, value) for name, value in {**USUAL, **changed}.items() if value is not None
    ) + tuple(more)


def head(*more, stream=1, flags=("END_HEADERS",), **changes):
    return Head(fields(*more, **changes), stream, flags)


def data(content, stream=1, end=True, **more):
    return frame.DataFrame(stream, content, flags=["END_STREAM"] if end else [], **more)


def serialized(item, connection):
    if isinstance(item, bytes):
        return item
    return (item.frame(connection) if isinstance(item, Head) else item).serialize()


def described(answer, kind):
    """What came on a stream, with messages of a kind, as plain data."""
    found = {"ended": answer.ended, "headers": answer.headers, "messages": []}
    for compressed, content in answer.messages():
        assert not compressed
        found["messages"].append(plain(kind.FromString(content)))
    if answer.trailers:
        found["trailers"] = answer.trailers
    if answer.reset is not None:
        found["reset"] = answer.reset
    return found


def ask(case, server):
    """What comes of a case: on its streams, and of the connection."""
    with Connection(server, timeout_s=TIMEOUT_S) as connection:
        connection.answers = {1 + 2 * i: Answer() for i in range(N_STREAMS)}
        connection.send_bytes(b"".join(serialized(item, connection) for item in case.items))
        result = {"silent": False}
        try:
            for stream in case.waits_for:
                connection.wait(stream)
            result["goes on"] = goes_on(connection)
        except TimeoutError:
            result["silent"] = True
        for stream, answer in connection.answers.items():
            if answer != Answer():
                result[f"stream {stream}"] = described(answer, case.answer_kind(stream))
        if connection.goaway is not None:
            result["goaway"] = connection.goaway.error_code
        return clean(result, server)


def goes_on(connection):
    """Whether another call on the connection is answered. Its header refers to none before."""
    stream = 2 * N_STREAMS + 1
    answer = connection.answers[stream] = Answer()
    header = hpack.Encoder().encode(fields())
    connection.send(
        frame.HeadersFrame(stream, header, flags=["END_HEADERS"]), data(message(b""), stream)
    )
    connection.wait(stream)
    del connection.answers[stream]
    return answer.trailers.get("grpc-status") == "0"


def essence(result):
    """A result without what means the same to every client: headers before trailers where there is
    no message, and the codings that the server offers."""

    def of_stream(stream):
        fields = {**stream["headers"], **stream.get("trailers", {})}
        fields.pop("grpc-accept-encoding", None)
        return {**stream, "headers": fields, "trailers": {}}

    return {
        name: of_stream(value) if name.startswith("stream") else value
        for name, value in result.items()
    }


def outcome(result):
    """What became of a case, in short: how the connection or the first stream that is told of
    ended."""
    streams = [value for name, value in essence(result).items() if name.startswith("stream")]
    if "goaway" in result:
        return f"goaway {result['goaway']}"
    if "reset" in streams[0]:
        return f"reset {streams[0]['reset']}"
    fields = streams[0]["headers"]
    text = " ".join(fields[name] for name in ["grpc-status", "grpc-message"] if name in fields)
    return text if result["goes on"] else f"{text}, then closed"
