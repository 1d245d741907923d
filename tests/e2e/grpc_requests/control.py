"""Questions about the server and its models: what a case is, and how it is asked.

Cases of a group are asked in their order, of one server, since some follow from others.
"""

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import grpc
import tritonclient.grpc as triton
from google.protobuf import message_factory
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from tritonclient.grpc import service_pb2 as pb
from tritonclient.utils import InferenceServerException

from grpc_requests.answers import TIMEOUT_S, clean, plain, question_of

INFERENCE = "inference.GRPCInferenceService"
HEALTH = "grpc.health.v1.Health"
REFLECTION = "grpc.reflection.v1alpha.ServerReflection"
FILES = {INFERENCE: pb, HEALTH: health_pb2, REFLECTION: reflection_pb2}


@dataclasses.dataclass(frozen=True)
class Raw:
    """A message, or bytes in its place, for a method; of its answers the first is wanted."""

    method: str
    request: Message | bytes
    service: str = INFERENCE

    def ask(self, client, channel):
        del client
        services = FILES[self.service].DESCRIPTOR.services_by_name
        method = services[self.service.rpartition(".")[2]].methods_by_name[self.method]
        call = channel.unary_stream(f"/{self.service}/{self.method}")(
            question_of(self.request), timeout=TIMEOUT_S
        )
        answer = next(call)
        call.cancel()
        return message_factory.GetMessageClass(method.output_type).FromString(answer)


@dataclasses.dataclass(frozen=True)
class Call:
    """A method of NVIDIA's client, with its arguments."""

    method: str
    arguments: dict

    def ask(self, client, channel):
        del channel
        return getattr(client, self.method)(**self.arguments)


@dataclasses.dataclass(frozen=True)
class Case:
    """A question; it is asked again until its answer is one that satisfies `until`."""

    name: str
    question: Raw | Call
    until: Callable[[Any], bool] = lambda answer: True


def raw(name, method, request=b"", service=INFERENCE, **more):
    return Case(name, Raw(method, request, service), **more)


def call(name, method, /, **arguments):
    return Case(name, Call(method, arguments))


def answer_to(question, client, channel):
    """The answer as plain data: a message as JSON, what a client's method returns besides, or a
    status and its text."""
    try:
        answer = question.ask(client, channel)
    except grpc.RpcError as error:
        return {"code": error.code().name, "details": error.details()}
    except InferenceServerException as error:
        return {"code": error.status().removeprefix("StatusCode."), "details": error.message()}
    if isinstance(answer, triton.InferResult):
        answer = answer.get_response()
    return plain(answer) if isinstance(answer, Message) else {"returned": answer}


def ask(case, client, channel):
    give_up_at = time.monotonic() + TIMEOUT_S
    while not case.until(answer := answer_to(case.question, client, channel)):
        assert time.monotonic() < give_up_at, f"{case.name!r} stays {answer}"
    return answer


def ask_all(cases, server):
    """The answers of a server to a group of cases, by their names, without what differs from run
    to run."""
    address = f"127.0.0.1:{server.grpc_port}"
    with triton.InferenceServerClient(address) as client, grpc.insecure_channel(address) as channel:
        return {case.name: clean(ask(case, client, channel), server) for case in cases}
