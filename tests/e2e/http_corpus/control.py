"""Settings, statistics and the repository, whose models clients do not control."""

from http_corpus.case import asking, get, infer, post, tensor

LOGGING = "/v2/logging"
INDEX = "/v2/repository/index"
COUNTED = "/v2/models/counted"
DEFAULT = (
    '{"log_info":true,"log_warning":true,"log_error":true,"log_verbose_level":0,'
    '"log_format":"default"}'
)


def setting(content):
    return post(f"log settings {content}", LOGGING, content)


CASES = [
    get("log settings", LOGGING),
    *(
        setting(content)
        for content in [
            "",
            "{",
            "[]",
            "7",
            "{}",
            '{"log_info":false}',
            '{"log_info":"x"}',
            '{"log_info":1}',
            '{"log_warning":null,"log_error":false}',
            '{"log_verbose_level":1}',
            '{"log_verbose_level":-1}',
            '{"log_verbose_level":"1"}',
            '{"log_verbose_level":1.5}',
            '{"log_verbose_level":true}',
            '{"log_format":"ISO8601"}',
            '{"log_format":"iso8601"}',
            '{"log_format":""}',
            '{"log_format":1}',
            '{"log_file":"x"}',
            '{"log_file":""}',
            '{"log_file":null}',
            '{"log_file":7}',
            '{"log_info":true,"log_file":"x"}',
            '{"log_error":true,"log_format":"x"}',
            '{"unknown":1}',
            '{"log_info":false,"log_info":true}',
            DEFAULT,
        ]
    ),
    get("log settings at the end", LOGGING),
    get("trace settings", "/v2/trace/setting"),
    get("trace settings of a model", "/v2/models/identity/trace/setting"),
    get("statistics before", f"{COUNTED}/stats"),
    infer("a counted request", "counted", asking(tensor([1, 2]))),
    infer("another counted request", "counted", asking(tensor([1, 2]))),
    get("statistics after", f"{COUNTED}/stats"),
    get("statistics of a version", f"{COUNTED}/versions/1/stats"),
    get("statistics of an unknown version", f"{COUNTED}/versions/2/stats"),
    get("statistics of an unknown model", "/v2/models/nobody/stats"),
    post("the index", INDEX),
    post("the index of what is ready", INDEX, {"ready": True}),
    post("the index of everything", INDEX, {"ready": False}),
    post("the index of ready as a number", INDEX, {"ready": 1}),
    post("the index of ready as a string", INDEX, {"ready": "true"}),
    post("the index of no JSON", INDEX, "{"),
    post("the index with unknown members", INDEX, {"other": 1}),
    post("the index of a repository", "/v2/repository/mine/index"),
    post("loading", "/v2/repository/models/identity/load"),
    post("loading of a repository", "/v2/repository/mine/models/identity/load"),
    post("loading an unknown model", "/v2/repository/models/nobody/load"),
    post("loading with no JSON", "/v2/repository/models/identity/load", "{"),
    post(
        "loading with an unknown parameter",
        "/v2/repository/models/identity/load",
        {"parameters": {"other": "x"}},
    ),
    post(
        "loading with a parameter that is no string",
        "/v2/repository/models/identity/load",
        {"parameters": {"config": 7}},
    ),
    post("unloading", "/v2/repository/models/identity/unload"),
    post("unloading an unknown model", "/v2/repository/models/nobody/unload"),
    post(
        "unloading with a wrong parameter",
        "/v2/repository/models/identity/unload",
        {"parameters": {"unload_dependents": 7}},
    ),
]
