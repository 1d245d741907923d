"""Streams of requests, each by a name: the requests in their order, and the stream's metadata."""

import struct

from tritonclient.grpc import service_pb2 as pb

MODELS = ["identity", "repeat", "misbehaves", "add_sub"]
STATUS_WANTED = {"triton_grpc_error": "true"}

STREAMS = {}


def stream(name, *requests, **metadata):
    assert name not in STREAMS, name
    STREAMS[name] = (requests, metadata)


def identity(id="", values=(1, 2), **more):
    request = pb.ModelInferRequest(model_name="identity", id=id, **more)
    request.inputs.add(name="INPUT0", datatype="FP32", shape=[len(values)])
    request.raw_input_contents.append(struct.pack(f"<{len(values)}f", *values))
    return request


def repeat(*values, flag="after", id="", empty_final=None, version="", outputs=()):
    request = pb.ModelInferRequest(model_name="repeat", model_version=version, id=id)
    request.inputs.add(name="INPUT0", datatype="INT32", shape=[len(values)])
    request.raw_input_contents.append(struct.pack(f"<{len(values)}i", *values))
    request.parameters["flag"].string_param = flag
    if empty_final is not None:
        request.parameters["triton_enable_empty_final_response"].bool_param = empty_final
    for name in outputs:
        request.outputs.add(name=name)
    return request


def misbehaves(how, id=""):
    request = pb.ModelInferRequest(model_name="misbehaves", id=id)
    one = request.inputs.add(name="HOW", datatype="BYTES", shape=[1])
    one.contents.bytes_contents.append(how.encode())
    return request


def with_parameter(request, name, kind, value):
    setattr(request.parameters[name], kind, value)
    return request


def without_inputs(request):
    del request.inputs[:]
    del request.raw_input_contents[:]
    return request


# ---- Models that answer once ----

stream("nothing")
stream("one answer", identity("1"))
stream("answers in order", *(identity(str(i), range(i)) for i in range(5)))
stream(
    "an empty final response of a model that answers once",
    with_parameter(identity("1"), "triton_enable_empty_final_response", "bool_param", True),
    identity("2"),
)
stream("a version", identity("1", model_version="1"), identity("2", model_version="2"))
stream("a version in words", identity("1", model_version="one"), identity("2"))
stream("an unknown model", identity("1"), pb.ModelInferRequest(model_name="nobody", id="2"))
stream("no model", pb.ModelInferRequest(id="1"), identity("2"))
stream("an error between answers", identity("1"), misbehaves("error:NOT_FOUND", "2"), identity("3"))
stream("an error without id", misbehaves("error:INVALID_ARG"))
stream("a request without inputs", without_inputs(identity("1")), identity("2"))
stream(
    "a bad parameter",
    with_parameter(identity("1"), "priority", "string_param", "high"),
    identity("2"),
)
stream("no message", b"\xff\xff\xff")

# ---- Models that answer any number of times ----

for flag in ("with", "after"):
    for empty_final in (None, False, True):
        how = f"final {flag} the last, empty one {empty_final}"
        stream(f"three answers, {how}", repeat(0, 1, 2, flag=flag, empty_final=empty_final))
        stream(f"no answers, {how}", repeat(flag=flag, id="1", empty_final=empty_final))
        stream(f"an error, {how}", repeat(1, -1, 2, flag=flag, id="1", empty_final=empty_final))
        stream(f"an error last, {how}", repeat(1, -1, flag=flag, id="1", empty_final=empty_final))
stream("a version in an empty final response", repeat(1, version="1", empty_final=True))
stream("an output of two", repeat(1, 2, outputs=["VALUE"], empty_final=True))
stream("an unknown output", repeat(1, 2, outputs=["NOTHING"]), repeat(3))
stream("requests in a row", *(repeat(i, i, id=str(i), empty_final=True) for i in range(4)))
stream("a decoupled model without inputs", without_inputs(repeat(1, id="1")), repeat(2, id="2"))

# ---- Streams whose errors are statuses ----

stream("a status wanted and none given", identity("1"), **STATUS_WANTED)
stream("a status of a model's error", misbehaves("error:NOT_FOUND"), **STATUS_WANTED)
stream("a status of an unknown model", pb.ModelInferRequest(model_name="nobody"), **STATUS_WANTED)
stream("a status of a bad request", without_inputs(identity("1")), **STATUS_WANTED)
stream("a status behind answers", repeat(1, 2, -1, id="1"), **STATUS_WANTED)
stream("a status not wanted", misbehaves("error:NOT_FOUND"), triton_grpc_error="false")
