"""Asking a server the questions of cases.py and streams.py, and what is kept of its answers."""

import json
import re

import grpc
from google.protobuf import json_format
from tritonclient.grpc import service_pb2 as pb

from grpc_requests import streams
from grpc_requests.cases import DATATYPES, MODELS, RAW_ONLY
from http_corpus.memory import KEY

METHOD = "/inference.GRPCInferenceService/ModelInfer"
STREAM_METHOD = "/inference.GRPCInferenceService/ModelStreamInfer"
TIMEOUT_S = 60

# What differs from run to run, and what stands for it.
VOLATILE = [
    (re.compile(r', "ns": "\d+"'), ""),
    (re.compile(r'"last_inference": "[1-9]\d*"'), '"last_inference": "1"'),
    (re.compile(r"/tmp/(folder|hippocamp-)\w+"), "TEMPORARY"),
    (re.compile(re.escape(KEY[1:])), "hippocamp-corpus"),
]


def fill(repository):
    """Adds the models that the questions are about."""
    for model in sorted({*MODELS, *streams.MODELS}):
        repository.add(model)
    for datatype in [*DATATYPES, *RAW_ONLY]:
        config = "TYPE_STRING" if datatype == "BYTES" else f"TYPE_{datatype}"
        repository.add("identity", datatype.lower(), edit={"TYPE_FP32": config})
    return repository


def question_of(request):
    return request if isinstance(request, bytes) else request.SerializeToString()


def clean(answer, server):
    """An answer as plain data without what differs from run to run."""
    text = json.dumps(answer).replace(str(server.repository.path), "\\u2026")
    for pattern, replacement in VOLATILE:
        text = pattern.sub(replacement, text)
    return json.loads(text)


def ask(channel, request, server):
    """The answer as plain data: the message as JSON, or a status and its text."""
    call = channel.unary_unary(METHOD)
    try:
        answer = call(question_of(request), timeout=TIMEOUT_S)
    except grpc.RpcError as error:
        return clean({"code": error.code().name, "details": error.details()}, server)
    return plain(pb.ModelInferResponse.FromString(answer))


def plain(message):
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


def ask_stream(channel, requests, metadata):
    """All answers of a stream as plain data, and its status."""
    call = channel.stream_stream(STREAM_METHOD)(
        iter([question_of(request) for request in requests]),
        timeout=TIMEOUT_S,
        metadata=tuple(metadata.items()),
    )
    answers = []
    try:
        for data in call:
            answers.append(plain(pb.ModelStreamInferResponse.FromString(data)))
    except grpc.RpcError:
        pass
    return {"answers": answers, "code": call.code().name, "details": call.details()}
