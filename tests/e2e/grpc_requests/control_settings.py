"""Settings of the log and of tracing, asked for and changed."""

from tritonclient.grpc import service_pb2 as pb

from grpc_requests.control import call, raw

DEFAULTS = {
    "log_info": True,
    "log_warning": True,
    "log_error": True,
    "log_verbose_level": 0,
    "log_format": "default",
}
NAMES = [*DEFAULTS, "log_file", "unknown"]
VALUES = {
    "bool_param": [True, False],
    "uint32_param": [0, 1, 2**32 - 1],
    "string_param": ["", "ISO8601", "iso8601", "true", "1"],
}


def log_settings(**settings):
    """A request; each setting is a kind of value and the value, or None for none."""
    request = pb.LogSettingsRequest()
    for name, setting in settings.items():
        request.settings[name].SetInParent()
        if setting is not None:
            setattr(request.settings[name], *setting)
    return request


def change(name, **settings):
    return raw(f"log settings: {name}", "LogSettings", log_settings(**settings))


def trace_settings(model="", **settings):
    request = pb.TraceSettingRequest(model_name=model)
    for name, values in settings.items():
        request.settings[name].value.extend(values)
    return request


INFO_OFF = ("bool_param", False)
CASES = [
    call("client: log settings", "get_log_settings"),
    raw("log settings", "LogSettings"),
    raw("log settings: no message", "LogSettings", b"\xff\xff\xff"),
    *(
        change(f"{name} as {kind} {value!r}", **{name: (kind, value)})
        for name in NAMES
        for kind, values in VALUES.items()
        for value in values
    ),
    *(change(f"{name} without a value", **{name: None}) for name in NAMES),
    change("two", log_info=INFO_OFF, log_error=INFO_OFF),
    change(
        "a good one and a bad one", log_info=("bool_param", True), log_error=("uint32_param", 1)
    ),
    change("a good one and an unknown one", log_error=("bool_param", True), other=INFO_OFF),
    call("client: an unknown log setting", "update_log_settings", settings={"unknown": True}),
    call("client: log settings as they were", "update_log_settings", settings=DEFAULTS),
    raw("log settings at the end", "LogSettings"),
    call("client: trace settings", "get_trace_settings"),
    call("client: trace settings of a model", "get_trace_settings", model_name="identity"),
    call("client: trace settings of an unknown model", "get_trace_settings", model_name="nobody"),
    call(
        "client: changing trace settings",
        "update_trace_settings",
        model_name="identity",
        settings={"trace_rate": "5", "trace_level": ["TIMESTAMPS"]},
    ),
    *(
        raw(f"trace settings: {name}", "TraceSetting", request)
        for name, request in {
            "asked for": trace_settings(),
            "a rate in words": trace_settings(trace_rate=["x"]),
            "a rate below zero": trace_settings(trace_rate=["-1"]),
            "two rates": trace_settings(trace_rate=["1", "2"]),
            "an unknown level": trace_settings(trace_level=["EVERYTHING"]),
            "an unknown one": trace_settings(unknown=["1"]),
            "cleared": trace_settings(trace_rate=[], trace_level=[], trace_count=[]),
            "of an unknown model": trace_settings("nobody", trace_rate=["1"]),
            "no message": b"\xff\xff\xff",
        }.items()
    ),
]
