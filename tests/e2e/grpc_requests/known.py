"""Where Hippocamp answers questions about the server, and frames made by hand, otherwise than
NVIDIA's server on purpose, with the reason for each.

Every entry is looked at: the test fails when an answer differs that is not listed, and when one is
listed that does not differ any more. `docs/differences.md` tells users of them.
"""

import dataclasses
from collections.abc import Callable

from differences import NO_MESSAGE

# ---- Questions about the server ----

TRACE = "there are no traces yet, and the extensions do not promise them"
WATCH = "the health service has Watch, too"
REFLECTION = "grpcurl needs no files"
TOGETHER = "settings are changed all together, or not at all"
NUL = "names end where they end: a NUL would cut them short"
NAMES = "a client cannot load what lies elsewhere, and learns what is wrong with a name"
GIVEN_AGAIN = "files that a client gives with a config that it gave before may be others"
VERSIONLESS = "a model that could not be loaded is still in its repository"
MEMORY = "regions begin anywhere in their memory, and the message names what is wrong"
NO_GPU = "the message names the region and says that there is no GPU"


@dataclasses.dataclass(frozen=True)
class Known:
    """Why an answer is another, and which it is, made from NVIDIA's."""

    reason: str
    answer: Callable[[dict], dict]


def always(reason, **answer):
    return Known(reason, lambda theirs: answer)


def error(reason, code, details):
    return always(reason, code=code, details=details)


def no_gpu(name):
    details = f"failed to register CUDA shared memory region: '{name}', GPUs not supported"
    return error(NO_GPU, "INVALID_ARGUMENT", details)


def without_trace(theirs):
    extensions = [name for name in theirs["extensions"] if name != "trace"]
    return {**theirs, "extensions": extensions}


def with_empty(theirs):
    models = [*theirs["models"], {"name": "empty"}]
    return {"models": sorted(models, key=lambda model: model["name"])}


def without_info(theirs):
    return {"settings": {**theirs["settings"], "log_info": {"bool_param": False}}}


HAS_NUL = error(NUL, "INVALID_ARGUMENT", "the request has a string with a character NUL")
NO_TRACES = error(TRACE, "UNIMPLEMENTED", "tracing is not supported")
SERVICES = [
    "inference.GRPCInferenceService",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
]

CONTROL = {
    "client: server metadata": Known(TRACE, without_trace),
    "ServerMetadata": Known(TRACE, without_trace),
    "ServerMetadata with more": Known(TRACE, without_trace),
    "client: trace settings": NO_TRACES,
    "client: trace settings of a model": NO_TRACES,
    "client: trace settings of an unknown model": NO_TRACES,
    "client: changing trace settings": NO_TRACES,
    "trace settings: asked for": NO_TRACES,
    "trace settings: a rate in words": NO_TRACES,
    "trace settings: a rate below zero": NO_TRACES,
    "trace settings: two rates": NO_TRACES,
    "trace settings: an unknown level": NO_TRACES,
    "trace settings: an unknown one": NO_TRACES,
    "trace settings: cleared": NO_TRACES,
    "trace settings: of an unknown model": NO_TRACES,
    "trace settings: no message": NO_TRACES,
    **{
        f"{method} of a name with a NUL": HAS_NUL
        for method in [
            *("ModelReady", "ModelMetadata", "ModelConfig", "ModelStatistics"),
            *("client: is_model_ready", "client: get_model_metadata"),
            *("client: get_model_config", "client: get_inference_statistics"),
        ]
    },
    "log settings: a good one and an unknown one": Known(TOGETHER, without_info),
    "client: an unknown log setting": Known(TOGETHER, without_info),
    "Watch": always(WATCH, status="SERVING"),
    "Watch of a service": always(WATCH, status="SERVING"),
    "reflection": always(
        REFLECTION,
        original_request={"list_services": ""},
        list_services_response={"service": [{"name": name} for name in SERVICES]},
    ),
    "loading no model": error(
        NAMES,
        "INVALID_ARGUMENT",
        "Model name cannot be empty. Please enter a valid name to deploy.",
    ),
    "loading a name with a slash": error(
        NAMES,
        "INVALID_ARGUMENT",
        "invalid model name 'identity/1', model name must not contain path traversal characters",
    ),
    "loading a path": error(
        NAMES,
        "INVALID_ARGUMENT",
        "invalid model name '../repository/identity', model name must not contain path traversal "
        "characters",
    ),
    "loading with broken files": error(
        GIVEN_AGAIN,
        "INVALID_ARGUMENT",
        "load failed for model 'mine': version 1 is at UNAVAILABLE state: Internal: ValueError: "
        "broken\n\nAt:\n  TEMPORARY/1/model.py(3): initialize\n;\n",
    ),
    "index after that": Known(VERSIONLESS, with_empty),
    "registering from an odd offset": always(MEMORY),
    "registering no bytes": error(
        MEMORY, "INVALID_ARGUMENT", "failed to register shared memory region 'b': invalid args"
    ),
    "registering of a size and an offset that are too large": error(
        MEMORY, "INVALID_ARGUMENT", "failed to register shared memory region 'b': invalid args"
    ),
    "client: registering CUDA memory": no_gpu("c"),
    "registering CUDA memory without a name": no_gpu(""),
    "registering CUDA memory without a handle": no_gpu("c"),
    "registering CUDA memory with a short handle": no_gpu("c"),
    "registering CUDA memory of a GPU that is not there": no_gpu("c"),
    "registering CUDA memory of a GPU below zero": no_gpu("c"),
    "registering CUDA memory of no bytes": no_gpu("c"),
}

# ---- Frames made by hand ----

MALFORMED = "requests that are malformed by HTTP/2 are reset (RFC 9113 §8.1.1)"
BROKEN = "what breaks HTTP/2 ends with the code that RFC 9113 has for it"
FAREWELL = "no calls come behind a client's GOAWAY (RFC 9113 §6.8)"
PADDING = "data may be padded (RFC 9113 §6.1)"
CLEAR = "the message says what is wrong"
UNREAD = "what a call does not need is not looked at"
CODING = "UNIMPLEMENTED is what gRPC has for a coding that is unknown"
DAMAGED = "INTERNAL is what gRPC has for compressed messages that are damaged"
PARTS = "streams of gzip behind each other are one (RFC 1952 §2.2)"
SECOND = "a client that sends more than a call takes should know"
TOO_LARGE = "RESOURCE_EXHAUSTED is what gRPC has for messages that are too large"

INCOMPLETE = "13 the last message is incomplete"
LARGE = "8 SERVER: Received message larger than max (%d vs. 2147483647)"

# The outcome (frames.py) of cases, by the reason for it.
OUTCOMES = {
    (MALFORMED, "reset 1"): [
        *(":authority ''", ":authority left out", ":method ''", ":method 'CONNECT'"),
        *(":method None", ":scheme ''", ":scheme None", ":path ''", ":path '*'", ":path None"),
        ":path 'http://localhost/inference.GRPCInferenceService/ServerLive'",
        ":path 'inference.GRPCInferenceService/ServerLive'",
        *("a length that is none", "a name in capitals", "a name with a blank"),
        *("a name without letters", "a path twice", "a pseudo-header behind others"),
        *("a response's pseudo-header", "a wrong length", "an unknown pseudo-header"),
        *("connection", "content-type 'application/grpc '", "grpc-timeout ' 1S'"),
        *("headers of nothing", "headers twice", "metadata with a NUL"),
        *("metadata with a line feed", "metadata with blanks around it", "no fields"),
        *("pseudo-headers last", "te ''", "te 'gzip'", "te 'trailers, deflate'"),
        *("trailers with a path", "trailers without an end", "transfer-encoding"),
    ],
    (BROKEN, "goaway 1"): [
        *("a continuation of nothing", "a farewell on a stream", "a ping on a stream"),
        *("a ping within headers", "a priority on stream 0", "a promise"),
        *("a reset behind the end", "a reset of an idle stream", "a reset of stream 0"),
        *("a stream of an even number", "a stream that depends on itself"),
        *("a stream's window opened by nothing", "a window opened by nothing"),
        *("an acknowledgement of nothing", "an idle stream's window"),
        *("another stream's continuation", "data before headers", "data on stream 0"),
        *("data with too much padding", "data within headers", "frames too large"),
        *("frames too small", "headers on stream 0", "headers with too much padding"),
        *("pushing neither on nor off", "settings on a stream"),
    ],
    (BROKEN, "goaway 3"): ["a window opened too far", "a window too large"],
    (BROKEN, "reset 3"): ["a stream's window opened too far"],
    (BROKEN, "goaway 5"): ["data behind the end", "headers behind the end"],
    (BROKEN, "goaway 6"): [
        *("a frame too long", "a ping of seven bytes", "a priority of four bytes"),
        *("a reset of three bytes", "a window of three bytes"),
        *("an acknowledgement with settings", "settings of five bytes"),
    ],
    (BROKEN, "goaway 9"): [
        *("a string of HPACK cut short", "a table of HPACK too large"),
        *("an index that HPACK has not", "bad letters of HPACK", "the index 0"),
    ],
    (FAREWELL, "0, then closed"): ["a farewell"],
    (PADDING, "0"): ["a message with padding"],
    (CLEAR, "2 Bad method header"): [":method 'OPTIONS'", ":method 'post'"],
    (CLEAR, "2 Bad content-type header"): [
        *("content-type 'APPLICATION/GRPC'", "content-type 'application/grpc-web'"),
        *("content-type 'application/grpcx'", "content-type 'application/json'"),
        "content-type 'text/plain'",
    ],
    (CLEAR, "2 Bad grpc-timeout header"): [
        *("grpc-timeout ''", "grpc-timeout '+1S'", "grpc-timeout '-1S'", "grpc-timeout '1'"),
        *("grpc-timeout '1.5S'", "grpc-timeout '1SS'", "grpc-timeout '1X'"),
        *("grpc-timeout '1s'", "grpc-timeout 'S'"),
    ],
    (CLEAR, "13 the call takes one message, and got none"): [
        *("a call without a body", "infer: no message", "small: no message"),
    ],
    (CLEAR, INCOMPLETE): [
        *("infer: a message cut short", "infer: a part of a prefix", "infer: a prefix alone"),
        *("small: a message cut short", "small: a part of a prefix", "small: a prefix alone"),
    ],
    (CLEAR, "13 the message is compressed, but grpc-encoding does not say how"): [
        *("infer: identity, compressed", "infer: no coding, compressed"),
    ],
    (UNREAD, "0"): [
        *(":scheme 'ftp'", "te None", "two content-types", "grpc-encoding ''"),
        *("grpc-encoding 'GZIP'", "binary metadata of a wrong length"),
        *("binary metadata that is no base64", "binary metadata with a comma"),
    ],
    (CODING, "12 Compression algorithm 'snappy' not supported"): [
        *("grpc-encoding 'snappy'", "infer: an unknown coding, compressed"),
        *("infer: an unknown coding, not compressed", "stream: an unknown coding, compressed"),
        "stream: an unknown coding, not compressed",
    ],
    (CODING, "12 Compression algorithm 'gzip,deflate' not supported"): [
        "grpc-encoding 'gzip,deflate'",
    ],
    (DAMAGED, "13 the data is not valid deflate"): [
        *("infer: deflate without its frame", "stream: deflate without its frame"),
    ],
    (DAMAGED, "13 the gzip data ends early"): [
        *("infer: gzip and more", "infer: gzip that ends early", "stream: gzip and more"),
        "stream: gzip that ends early",
    ],
    (DAMAGED, "13 the data is not valid gzip"): [
        *("infer: gzip that is none", "infer: gzip with a wrong sum"),
        *("stream: gzip that is none", "stream: gzip with a wrong sum"),
    ],
    (PARTS, "0"): ["infer: gzip in two parts", "stream: gzip in two parts"],
    (SECOND, "13 the call takes one message, and got more"): [
        *("infer: more than the prefix says", "infer: two messages"),
        *("small: more than the prefix says", "small: two messages"),
    ],
    (NO_MESSAGE, INCOMPLETE): [
        *("infer: a message and a part of a prefix", "small: a message and a part of a prefix"),
        *("stream: a message and a part of a prefix", "stream: a message cut short"),
        *("stream: a part of a prefix", "stream: a prefix alone"),
        "stream: more than the prefix says",
    ],
    (NO_MESSAGE, "13 Unable to parse request"): [
        *("stream: a field cut short", "stream: a message that is none"),
    ],
    (NO_MESSAGE, "13 Bad GRPC frame type 0x02"): [
        *("a bad message behind a good one", "infer: a flag of 2", "small: a flag of 2"),
        "stream: a flag of 2",
    ],
    (NO_MESSAGE, "13 Bad GRPC frame type 0xff"): [
        *("infer: a flag of 255", "small: a flag of 255", "stream: a flag of 255"),
    ],
    (NO_MESSAGE, "13 the message is compressed, but grpc-encoding does not say how"): [
        *("stream: identity, compressed", "stream: no coding, compressed"),
    ],
    (TOO_LARGE, LARGE % 2**31): [
        *("infer: a size of 2 GiB", "small: a size of 2 GiB", "stream: a size of 2 GiB"),
    ],
    (TOO_LARGE, LARGE % (2**32 - 1)): [
        *("infer: a size of 4 GiB", "small: a size of 4 GiB", "stream: a size of 4 GiB"),
    ],
}
FRAMES = {name: key for key, names in OUTCOMES.items() for name in names}
