"""How the server and its models are: health, metadata, configs and statistics."""

from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from tritonclient.grpc import service_pb2 as pb

from grpc_requests.cases import given
from grpc_requests.control import HEALTH, REFLECTION, call, raw

MODELS = [
    *("identity", "add_sub", "batched", "optional", "repeat", "scores", "strings", "sequences"),
    *("versions", "warm"),
]
# Of a model: its name and version.
PLACES = {
    "a model": ("identity", ""),
    "a version": ("identity", "1"),
    "a version with zeros": ("identity", "01"),
    "a version with a sign": ("identity", "+1"),
    "a version and letters": ("identity", "1x"),
    "a version with a blank": ("identity", " 1"),
    "one of several versions": ("versions", "3"),
    "several versions": ("versions", ""),
    "an unknown version": ("identity", "2"),
    "version 0": ("identity", "0"),
    "a version in words": ("identity", "abc"),
    "a negative version": ("identity", "-1"),
    "the largest version": ("identity", str(2**63 - 1)),
    "a version beyond 64 bits": ("identity", str(2**63)),
    "a version that is a blank": ("identity", " "),
    "an unknown model": ("nobody", ""),
    "a version of an unknown model": ("nobody", "1"),
    "a version in words of an unknown model": ("nobody", "abc"),
    "no model": ("", ""),
    "a version of no model": ("", "1"),
    "a name with a slash": ("identity/1", ""),
    "a name with a NUL": ("identity\0x", ""),
    "a name in capitals": ("IDENTITY", ""),
    "a name that is long": ("x" * 300, ""),
    "a name beyond ASCII": ("Modéle", ""),
}
# The methods that are asked about models: the client's, and the message's type.
ASKED = {
    "ModelReady": ("is_model_ready", pb.ModelReadyRequest),
    "ModelMetadata": ("get_model_metadata", pb.ModelMetadataRequest),
    "ModelConfig": ("get_model_config", pb.ModelConfigRequest),
    "ModelStatistics": ("get_inference_statistics", pb.ModelStatisticsRequest),
}
BAD = {"no message": b"\xff\xff\xff", "a name that is not UTF-8": b"\x0a\x01\xff"}
UNKNOWN_FIELD = b"\xfa\x3f\x03abc"


def is_counted(answer):
    """Counts appear a little after the answers that they count."""
    return int(answer["model_stats"][0].get("execution_count", 0)) >= 2


CASES = [
    *(call(f"client: {name}", name) for name in ["is_server_live", "is_server_ready"]),
    call("client: server metadata", "get_server_metadata"),
    *(raw(f"{method}", method) for method in ["ServerLive", "ServerReady", "ServerMetadata"]),
    *(
        raw(f"{method} with {name}", method, request)
        for method in ["ServerLive", "ServerReady", "ServerMetadata"]
        for name, request in {"no message": BAD["no message"], "more": UNKNOWN_FIELD}.items()
    ),
    *(
        call(f"client: {method} of {place}", method, model_name=name, model_version=version)
        for method, _ in ASKED.values()
        for place, (name, version) in PLACES.items()
    ),
    *(
        raw(f"{method} of {place}", method, message(name=name, version=version))
        for method, (_, message) in ASKED.items()
        for place, (name, version) in PLACES.items()
    ),
    *(
        raw(f"{method} of {what}", method, request)
        for method in ASKED
        for what, request in BAD.items()
    ),
    *(
        call(f"client: {method} of {model}", method, model_name=model)
        for model in MODELS
        for method in ["get_model_metadata", "get_model_config"]
    ),
    # Statistics.
    raw("a request that is counted", "ModelInfer", given()),
    raw("another request that is counted", "ModelInfer", given(version="1")),
    raw("a request that fails", "ModelInfer", given(shape=[1, 2])),
    raw(
        "statistics of what was counted",
        "ModelStatistics",
        pb.ModelStatisticsRequest(name="identity"),
        until=is_counted,
    ),
    call("client: statistics of all", "get_inference_statistics"),
    # Services of gRPC's own.
    raw("Check", "Check", service=HEALTH),
    raw("Check of a service", "Check", health_pb2.HealthCheckRequest(service="x"), HEALTH),
    raw("Check of no message", "Check", BAD["no message"], HEALTH),
    raw("Watch", "Watch", service=HEALTH),
    raw("Watch of a service", "Watch", health_pb2.HealthCheckRequest(service="x"), HEALTH),
    raw(
        "reflection",
        "ServerReflectionInfo",
        reflection_pb2.ServerReflectionRequest(list_services=""),
        REFLECTION,
    ),
]
