"""Where Hippocamp answers otherwise than NVIDIA's server on purpose, with the reason for each.

Every entry is looked at: the test fails when an answer differs that is not listed, and when one is
listed that does not differ any more. `docs/differences.md` tells users of them.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Known:
    """What is answered instead: the status, and a part of the body unless it is empty."""

    status: int
    reason: str
    body: str = ""


EXTENSIONS = "chunk extensions are skipped (RFC 9112 §7.1.1)"
NO_TRACE = "there are no traces yet, and the extensions do not promise them"
DECODED = "names in paths are decoded, as RFC 3986 has it"
HEAD = "HEAD is answered as GET is, without the body"
EXACT = "numbers are read exactly, however many digits they have"
UTF8 = "bytes that are not UTF-8 become U+FFFD, so that the answer remains JSON"
CLEAR = "the message names the input that is unexpected"
DECOUPLED = "decoupled models are served as long as they answer once"
NO_ID = "an empty sequence id is none"
LENGTH = "a length that is no number is an error"
DEPTH = "documents are read to a depth of 512, and the message says so"
NO_CLASSES = "only numbers have classes; NVIDIA's server dies of others"
SHAPE = "the message names what is wrong with the shape, of which NVIDIA's server may die"
ZSTD = "zstd is served as well, and codings may be spelled in any case (RFC 9110 §8.4.1)"
DAMAGED = "compressed data that is damaged is refused instead of half of it being served"
PARTS = "streams of gzip behind each other are one (RFC 1952 §2.2)"
STATUS = "an error has the status of one"
MEMORY = "regions begin anywhere in their memory and are read and written within their bounds"
NO_GPU = "the message names the region and says that there is no GPU"
UNLOADING = "a body that is wrong is an error in every control mode"
EMPTY_LINE = "an empty line before a request is skipped (RFC 9112 §2.2)"
STRICT = "what another server on the way may read differently is refused (RFC 9112 §11.2)"
POLITE = "a status tells the client's developer more than a closed connection or silence"

KNOWN = {
    "HTTP: chunks with extensions": Known(200, EXTENSIONS),
    "GET /v2": Known(200, NO_TRACE),
    "GET /v2?a=b": Known(200, NO_TRACE),
    "trace settings": Known(501, NO_TRACE, "tracing is not supported"),
    "trace settings of a model": Known(501, NO_TRACE, "tracing is not supported"),
    "GET /v2/models/ide%6Etity": Known(200, DECODED),
    "GET /v2/models/a%20b": Known(404, DECODED, "Request for unknown model: 'a b' is not found"),
    "GET /v2/models/identity%2Fversions": Known(
        404, DECODED, "Request for unknown model: 'identity/versions' is not found"
    ),
    "HEAD /v2/health/live": Known(200, HEAD),
    "HEAD /v2/models/identity/config": Known(200, HEAD),
    "FP32 many digits": Known(200, EXACT),
    "FP64 limits": Known(200, EXACT),
    "FP64 beyond FP32": Known(200, EXACT),
    "FP64 many digits": Known(200, EXACT),
    "BYTES the other half": Known(200, UTF8),
    "BYTES binary with no UTF-8": Known(200, UTF8),
    "an input too many": Known(
        400, CLEAR, "unexpected inference input 'INPUT1' for model 'identity'"
    ),
    "a decoupled model that answers once": Known(200, DECOUPLED),
    "a decoupled model that answers twice": Known(
        500, DECOUPLED, "expected a single response, got more"
    ),
    "parameter 'sequence_id' as ''": Known(200, NO_ID),
    "header length 'x'": Known(
        400, LENGTH, "inference header size should be in range (0, 113), got: x"
    ),
    "header length ''": Known(
        400, LENGTH, "inference header size should be in range (0, 113), got: "
    ),
    "header length '1 2'": Known(
        400, LENGTH, "inference header size should be in range (0, 113), got: 1 2"
    ),
    "header length '0x10'": Known(
        400, LENGTH, "inference header size should be in range (0, 113), got: 0x10"
    ),
    "header length '+5'": Known(
        400, LENGTH, "inference header size should be in range (0, 113), got: +5"
    ),
    "header length '1.0'": Known(
        400, LENGTH, "inference header size should be in range (0, 113), got: 1.0"
    ),
    "bad: deep nesting left open": Known(
        400, DEPTH, "JSON nesting depth exceeds maximum allowed limit (512)"
    ),
    "bad: deep nesting of arrays": Known(
        400, DEPTH, "JSON nesting depth exceeds maximum allowed limit (512)"
    ),
    "bad: deep nesting of objects": Known(
        400, DEPTH, "JSON nesting depth exceeds maximum allowed limit (512)"
    ),
    "bad: deep nesting of data": Known(
        400, DEPTH, "JSON nesting depth exceeds maximum allowed limit (512)"
    ),
    "bad: 2^63-1 elements": Known(
        400, SHAPE, "byte size overflow for input 'INPUT0': element count (9223372036854775"
    ),
    "bad: 2^64-1 elements": Known(
        400, SHAPE, "invalid shape for input 'INPUT0': shape [-1] contains one or more inva"
    ),
    "bad: 2^62 elements": Known(
        400, SHAPE, "byte size overflow for input 'INPUT0': element count (4611686018427387"
    ),
    "bad: 2^61 elements": Known(
        400, SHAPE, "byte size overflow for input 'INPUT0': element count (2305843009213693"
    ),
    "bad: 10^12 elements": Known(
        400, SHAPE, "Unable to parse 'data': Shape does not match true shape of 'data' fiel"
    ),
    "bad: 2^31 elements": Known(
        400, SHAPE, "Unable to parse 'data': Shape does not match true shape of 'data' fiel"
    ),
    "classes: of nothing": Known(200, NO_CLASSES),
    "classes: of strings": Known(
        400, NO_CLASSES, "class result not available for output due to unsupported type 'BYTES'"
    ),
    "HTTP: an empty line first": Known(200, EMPTY_LINE),
    "bad: 2^63 elements": Known(
        400, SHAPE, "invalid shape for input 'INPUT0': shape [-9223372036854775808] contain"
    ),
    "bad: a product beyond 64 bits": Known(
        400, SHAPE, "invalid shape for input 'INPUT0': shape [1099511627776,1099511627776] "
    ),
    "bad: an unknown compression": Known(501, ZSTD, "Unsupported compression type"),
    "body: gzip in capitals": Known(200, ZSTD),
    "body: br": Known(501, ZSTD, "Unsupported compression type"),
    "body: x-gzip": Known(501, ZSTD, "Unsupported compression type"),
    "body: twice": Known(501, ZSTD, "Unsupported compression type"),
    "body: no coding": Known(200, ZSTD),
    "accepting 'GZIP'": Known(200, ZSTD),
    "accepting ' gzip ;q=0.2, identity;q=0.1'": Known(200, ZSTD),
    "body: not gzip": Known(400, DAMAGED, "the data is not valid gzip"),
    "body: deflate without its frame": Known(400, DAMAGED, "the data is not valid deflate"),
    "body: gzip that ends early": Known(400, DAMAGED, "the gzip data ends early"),
    "body: gzip without its end": Known(400, DAMAGED, "the gzip data ends early"),
    "body: gzip with a wrong sum": Known(400, DAMAGED, "the data is not valid gzip"),
    "body: gzip and more": Known(400, DAMAGED, "the data is not valid gzip"),
    "body: gzip in two parts": Known(200, PARTS),
    "generate: no answers": Known(
        500, STATUS, "generate expects model to produce exactly 1 response, use generate str"
    ),
    "generate: two answers": Known(
        500, STATUS, "generate expects model to produce exactly 1 response, use generate str"
    ),
    "generate: an error and an answer": Known(
        500, STATUS, "generate expects model to produce exactly 1 response, use generate str"
    ),
    "generate: an answer and an error": Known(
        500, STATUS, "generate expects model to produce exactly 1 response, use generate str"
    ),
    "registering no bytes": Known(
        400, MEMORY, "failed to register shared memory region 'b': invalid args"
    ),
    "registering from an odd offset": Known(200, MEMORY),
    "registering CUDA memory": Known(
        400, NO_GPU, "failed to register CUDA shared memory region: 'c', GPUs not supported"
    ),
    "unloading with a wrong parameter": Known(
        500, UNLOADING, "Unable to parse 'unload_dependents': attempt to access JSON non-boolea"
    ),
    "HTTP: a blank before the colon": Known(400, STRICT, "malformed header field"),
    "HTTP: an unknown transfer coding": Known(
        501, STRICT, "Transfer-Encoding other than chunked is not implemented"
    ),
    "HTTP: an expectation": Known(417, STRICT, "unknown expectation"),
    "HTTP: two lengths that agree": Known(400, STRICT, "invalid Content-Length"),
    "HTTP: no Host": Known(400, STRICT, "missing Host"),
    "HTTP: two Hosts": Known(400, STRICT, "invalid Host"),
    "HTTP: two blanks": Known(400, STRICT, "malformed request line"),
    "HTTP: a path with a bad escape": Known(400, STRICT, "malformed request target"),
    "HTTP: a path with a NUL": Known(400, STRICT, "malformed request target"),
    "HTTP: a path beyond ASCII": Known(400, STRICT, "malformed request target"),
    "HTTP: a fragment": Known(400, STRICT, "malformed request target"),
    "HTTP: CONNECT": Known(501, STRICT, "CONNECT is not implemented"),
    "HTTP: a chunk size that is none": Known(400, POLITE, "invalid chunk size"),
    "HTTP: a chunk size beyond 64 bits": Known(400, POLITE, "invalid chunk size"),
    "HTTP: a chunk longer than its size": Known(400, POLITE, "chunk longer than its size"),
    "HTTP: HTTP/2.0": Known(505, POLITE, "HTTP version not supported"),
    "HTTP: HTTP/0.9": Known(505, POLITE, "HTTP version not supported"),
    "HTTP: lower case": Known(400, POLITE, "malformed request line"),
    "HTTP: a header too large": Known(431, POLITE, "header fields too large"),
    "HTTP: a header without a colon": Known(400, POLITE, "malformed header field"),
    "HTTP: a header without a name": Known(400, POLITE, "malformed header field"),
    "HTTP: a folded header": Known(400, POLITE, "malformed header field"),
    "HTTP: a length and chunks": Known(400, POLITE, "invalid Transfer-Encoding"),
    "HTTP: a length in words": Known(400, POLITE, "invalid Content-Length"),
    "HTTP: a negative length": Known(400, POLITE, "invalid Content-Length"),
    "HTTP: a length with a sign": Known(400, POLITE, "invalid Content-Length"),
    "HTTP: a length beyond 64 bits": Known(400, POLITE, "invalid Content-Length"),
    "HTTP: a length with a comma": Known(400, POLITE, "invalid Content-Length"),
    "HTTP: no version": Known(400, POLITE, "malformed request line"),
    "HTTP: no target": Known(400, POLITE, "malformed request line"),
    "HTTP: one word": Known(400, POLITE, "malformed request line"),
    "HTTP: bare line feeds": Known(400, POLITE, "line without CRLF at its end"),
    "HTTP: a TLS handshake": Known(400, POLITE, "malformed request line"),
    "HTTP: zeros": Known(400, POLITE, "malformed request line"),
    "HTTP: a path with a blank": Known(400, POLITE, "malformed request line"),
    "HTTP: a path too long": Known(414, POLITE, "request line too long"),
    "HTTP: an asterisk": Known(404, POLITE, "Not Found"),
}
