"""HTTP as bytes on a socket, for what no client library would send."""

import contextlib
import dataclasses
import json
import select
import socket


@dataclasses.dataclass(frozen=True)
class Response:
    status: int
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)


class Connection:
    """A connection whose two directions are in the test's hands."""

    def __init__(self, server, timeout_s=60):
        self._socket = socket.create_connection(("127.0.0.1", server.http_port), timeout_s)
        self._file = self._socket.makefile("rb")

    def send(self, data):
        """Sends everything, unless the server has already closed the connection."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(data)
        return self

    def end_sending(self):
        self._socket.shutdown(socket.SHUT_WR)
        return self

    def receive(self, with_body=True):
        """The next response; None when the server closes the connection instead."""
        try:
            line = self._file.readline()
            if not line:
                return None
            status = int(line.split()[1])
            headers = {}
            while (line := self._file.readline()) not in (b"\r\n", b""):
                name, _, value = line.decode("latin-1").partition(":")
                headers[name.strip().lower()] = value.strip()
            size = int(headers.get("content-length", 0)) if with_body else 0
            return Response(status, headers, self._file.read(size))
        except ConnectionResetError:
            return None

    def read_line(self):
        """The next line of a body that is read piece by piece."""
        return self._file.readline()

    def has_something(self, timeout_s):
        """Waits for bytes of the server, or for it to hang up."""
        return bool(select.select([self._socket], [], [], timeout_s)[0])

    def is_closed_by_server(self):
        """Waits for the server to close the connection; False when more bytes come."""
        try:
            return self._file.read(1) == b""
        except ConnectionResetError:
            return True

    def close(self):
        self._file.close()
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


def request(path, content=b"", method="POST", headers=(), length=None, version="HTTP/1.1"):
    """The bytes of a request. `length` replaces Content-Length; False leaves it out."""
    lines = [f"{method} {path} {version}", "Host: localhost", *headers]
    if length is not False:
        lines.append(f"Content-Length: {len(content) if length is None else length}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content
