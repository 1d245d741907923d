"""gRPC as frames of HTTP/2 on a socket, for what no client library would send or show."""

import dataclasses
import socket
import struct
import time
import urllib.parse

import hpack
from hyperframe import frame

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
INFER = "/inference.GRPCInferenceService/ModelInfer"
TIMEOUT_S = 60


@dataclasses.dataclass
class Answer:
    """What came on a stream."""

    headers: dict = dataclasses.field(default_factory=dict)
    trailers: dict = dataclasses.field(default_factory=dict)
    body: bytearray = dataclasses.field(default_factory=bytearray)
    reset: int | None = None
    ended: bool = False

    @property
    def status(self):
        return int({**self.headers, **self.trailers}["grpc-status"])

    @property
    def message(self):
        return urllib.parse.unquote({**self.headers, **self.trailers}["grpc-message"])

    def messages(self):
        """The messages in the body: whether each is compressed, and its bytes."""
        found, offset = [], 0
        while offset < len(self.body):
            compressed, size = struct.unpack_from(">BI", self.body, offset)
            offset += 5 + size
            found.append((bool(compressed), bytes(self.body[offset - size : offset])))
        return found


def message(data, compressed=False):
    """A message with its prefix."""
    return struct.pack(">BI", compressed, len(data)) + data


class Connection:
    """A connection that sends what it is told to, and keeps what comes by its stream."""

    def __init__(
        self, server, settings=None, window=2**31 - 1, receive_buffer=None, timeout_s=TIMEOUT_S
    ):
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout_s)
        self.socket.connect(("127.0.0.1", server.grpc_port))
        self.answers = {}
        self.goaway = None
        self.pings = []  # of ours that were answered
        self.n_pinged = 0  # by the server
        self.closed = False
        self._encoder = hpack.Encoder()
        self._decoder = hpack.Decoder()
        self._received = bytearray()
        self._next_stream = 1
        first = frame.SettingsFrame(
            0, settings={frame.SettingsFrame.INITIAL_WINDOW_SIZE: window, **(settings or {})}
        )
        self.send_bytes(PREFACE)
        self.send(first)
        if window > 65535:
            self.send(frame.WindowUpdateFrame(0, window_increment=window - 65535))

    def send_bytes(self, data):
        """Sends everything, unless the server has closed the connection."""
        try:
            self.socket.sendall(data)
        except OSError:
            self.closed = True

    def send(self, *frames):
        self.send_bytes(b"".join(one.serialize() for one in frames))

    def encode(self, headers):
        return self._encoder.encode(headers)

    def head(self, path=INFER, **headers):
        """The header of a call, in the form of HPACK."""
        return self.encode(
            [
                (":method", "POST"),
                (":scheme", "http"),
                (":path", path),
                (":authority", "localhost"),
                ("content-type", "application/grpc"),
                ("te", "trailers"),
                *((name.replace("_", "-"), value) for name, value in headers.items()),
            ]
        )

    def new_stream(self):
        stream = self._next_stream
        self._next_stream += 2
        self.answers[stream] = Answer()
        return stream

    def open(self, path=INFER, flags=("END_HEADERS",), **headers):
        """Begins a call; returns its stream."""
        stream = self.new_stream()
        self.send(frame.HeadersFrame(stream, self.head(path, **headers), flags=flags))
        return stream

    def data(self, stream, data, end=True, size=16384):
        pieces = [data[i : i + size] for i in range(0, len(data), size)] or [b""]
        for i, piece in enumerate(pieces):
            flags = ["END_STREAM"] if end and i == len(pieces) - 1 else []
            self.send(frame.DataFrame(stream, piece, flags=flags))

    def call(self, data, path=INFER, compressed=False, **headers):
        """A call of one message, and its answer."""
        stream = self.open(path, **headers)
        self.data(stream, message(data, compressed))
        return self.wait(stream)

    def _take_frame(self):
        if len(self._received) < 9:
            return None
        head, size = frame.Frame.parse_frame_header(memoryview(bytes(self._received[:9])))
        if len(self._received) < 9 + size:
            return None
        head.parse_body(memoryview(bytes(self._received[9 : 9 + size])))
        del self._received[: 9 + size]
        return head

    def receive(self):
        """Handles the next frame; False when the server has closed the connection."""
        while (one := self._take_frame()) is None:
            try:
                data = self.socket.recv(2**20)
            except ConnectionResetError:
                data = b""
            if not data:
                self.closed = True
                return False
            self._received += data
        self._handle(one)
        return True

    def _handle(self, one):
        answer = self.answers.get(one.stream_id)
        if answer is not None and answer.ended:
            answer = None  # whatever comes now is nobody's
        if isinstance(one, frame.SettingsFrame) and "ACK" not in one.flags:
            self.send(frame.SettingsFrame(0, flags=["ACK"]))
        elif isinstance(one, frame.PingFrame) and "ACK" in one.flags:
            self.pings.append(one.opaque_data)
        elif isinstance(one, frame.PingFrame):
            self.n_pinged += 1
            self.send(frame.PingFrame(0, one.opaque_data, flags=["ACK"]))
        elif isinstance(one, frame.GoAwayFrame):
            self.goaway = one
        elif isinstance(one, frame.HeadersFrame):
            headers = dict(self._decoder.decode(one.data))
            if answer is not None:
                (answer.trailers if answer.headers else answer.headers).update(headers)
        elif isinstance(one, frame.DataFrame) and answer is not None:
            answer.body += one.data
        elif isinstance(one, frame.RstStreamFrame) and answer is not None:
            answer.reset = one.error_code
            answer.ended = True
        if answer is not None and "END_STREAM" in one.flags:
            answer.ended = True

    def wait(self, stream):
        """Waits for the end of a stream; returns its answer."""
        self.wait_until(lambda: self.answers[stream].ended)
        return self.answers[stream]

    def wait_until(self, condition):
        """Receives until `condition` is true or the connection is closed."""
        give_up_at = time.monotonic() + TIMEOUT_S
        while not condition() and self.receive():
            assert time.monotonic() < give_up_at

    def wait_for_close(self):
        """Receives until the server closes the connection."""
        self.wait_until(lambda: False)
        assert self.closed

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()
