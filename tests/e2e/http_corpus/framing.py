"""HTTP/1.1 itself: how bodies are framed, and bytes that are no request."""

from harness.raw import request
from http_corpus.case import Case, asking, tensor, text_of

INFER = "/v2/models/identity/infer"
LIVE = "/v2/health/live"
BODY = text_of(asking(tensor([1, 2])))
CHUNKED = "Transfer-Encoding: chunked"


def chunks(*pieces):
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))


def live(name, *headers, version="HTTP/1.1"):
    data = request(LIVE, method="GET", headers=headers, length=False, version=version)
    return Case(f"HTTP: {name}", data)


def chunked(name, content, *headers):
    data = request(INFER, content, length=False, headers=[CHUNKED, *headers])
    return Case(f"HTTP: {name}", data)


def sized(name, length, content=BODY, *headers):
    return Case(f"HTTP: {name}", request(INFER, content, length=length, headers=headers))


def bare(name, data):
    return Case(f"HTTP: {name}", data)


CASES = [
    chunked("chunks", chunks(BODY[:10], BODY[10:])),
    chunked("one byte a chunk", chunks(*(BODY[i : i + 1] for i in range(len(BODY))))),
    chunked("chunks with extensions", b"%x;a=b\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)),
    chunked("chunks with a trailer", b"%x\r\n%s\r\n0\r\nA: b\r\n\r\n" % (len(BODY), BODY)),
    chunked("chunks in capitals", b"%X\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)),
    chunked("no chunks", chunks()),
    chunked("a chunk size that is none", b"zz\r\n"),
    chunked("a chunk size beyond 64 bits", b"fffffffffffffffff\r\n"),
    chunked("a chunk longer than its size", b"3\r\nabcdef\r\n0\r\n\r\n"),
    live("HTTP/1.0", version="HTTP/1.0"),
    live("HTTP/1.2", version="HTTP/1.2"),
    live("HTTP/2.0", version="HTTP/2.0"),
    live("HTTP/0.9", version="HTTP/0.9"),
    live("lower case", version="http/1.1"),
    live("close", "Connection: close"),
    live("keep-alive", "Connection: keep-alive"),
    live("many headers", *(f"X-{i}: y" for i in range(80))),
    live("a long header", "X: " + "y" * 7000),
    live("a header too large", "X: " + "y" * 100000),
    live("a header without a colon", "Nonsense"),
    live("a header without a name", ": x"),
    live("a blank before the colon", "A : b"),
    live("a folded header", "A: b\r\n c"),
    live("bytes beyond ASCII in a header", "A: é"),
    live("a Content-Length of zero", "Content-Length: 0"),
    live("an unknown transfer coding", "Transfer-Encoding: other"),
    live("an expectation", "Expect: miracles"),
    sized("no length", False, b""),
    sized("two lengths that agree", len(BODY), BODY, f"Content-Length: {len(BODY)}"),
    sized("a length and chunks", len(BODY), BODY, CHUNKED),
    sized("a length in words", "many"),
    sized("a negative length", -1),
    sized("a length with a sign", "+80"),
    sized("a length beyond 64 bits", 10**30),
    sized("a length with a comma", f"{len(BODY)}, {len(BODY)}"),
    bare("no Host", f"GET {LIVE} HTTP/1.1\r\n\r\n".encode()),
    bare("two Hosts", f"GET {LIVE} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".encode()),
    bare("an empty line first", f"\r\nGET {LIVE} HTTP/1.1\r\nHost: a\r\n\r\n".encode()),
    bare("an absolute target", f"GET http://a{LIVE} HTTP/1.1\r\nHost: a\r\n\r\n".encode()),
    bare("two blanks", f"GET  {LIVE} HTTP/1.1\r\nHost: a\r\n\r\n".encode()),
    bare("no version", f"GET {LIVE}\r\nHost: a\r\n\r\n".encode()),
    bare("no target", b"GET HTTP/1.1\r\nHost: a\r\n\r\n"),
    bare("one word", b"NONSENSE\r\n\r\n"),
    bare("bare line feeds", f"GET {LIVE} HTTP/1.1\nHost: a\n\n".encode()),
    bare("a TLS handshake", b"\x16\x03\x01\x02\x00nonsense\r\n\r\n"),
    bare("zeros", bytes(100) + b"\r\n\r\n"),
    bare("a path with a blank", b"GET /v2/models/a b HTTP/1.1\r\nHost: a\r\n\r\n"),
    bare("a path with a bad escape", b"GET /v2/models/%zz HTTP/1.1\r\nHost: a\r\n\r\n"),
    bare("a path with a NUL", b"GET /v2/models/a\0b HTTP/1.1\r\nHost: a\r\n\r\n"),
    bare("a path beyond ASCII", "GET /v2/models/é HTTP/1.1\r\nHost: a\r\n\r\n".encode()),
    bare("a path too long", b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
    bare("a fragment", f"GET {LIVE}#x HTTP/1.1\r\nHost: a\r\n\r\n".encode()),
    bare("an asterisk", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
    bare("CONNECT", b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"),
]
