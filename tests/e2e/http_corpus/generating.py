"""The generate endpoints."""

from http_corpus.case import post

CONTENTS = {
    "a number": ("identity", {"INPUT0": 1.5}),
    "an array": ("identity", {"INPUT0": [1, 2]}),
    "a nested array": ("identity", {"INPUT0": [[1], [2]]}),
    "no elements": ("identity", {"INPUT0": []}),
    "null": ("identity", {"INPUT0": None}),
    "a string for a number": ("identity", {"INPUT0": "1"}),
    "an object": ("identity", {"INPUT0": {}}),
    "an id": ("identity", {"id": "7", "INPUT0": 1}),
    "an id that is none": ("identity", {"id": 7, "INPUT0": 1}),
    "a batch": ("batched", {"INPUT0": [1, 2, 3, 4]}),
    "a bad shape": ("batched", {"INPUT0": [1, 2, 3]}),
    "parameters": ("request_info", {"INPUT0": 1, "a": 1, "b": True, "c": "x", "d": 0.5}),
    "a parameter that is null": ("request_info", {"INPUT0": 1, "a": None}),
    "a parameter that is an array": ("request_info", {"INPUT0": 1, "a": [1]}),
    "special parameters": (
        "request_info",
        {"INPUT0": 1, "sequence_id": 7, "priority": 1, "timeout": 5, "triton_x": 1},
    ),
    "nested parameters": ("request_info", {"parameters": {"INPUT0": 1, "a": 1}}),
    "parameters that are none": ("request_info", {"INPUT0": 1, "parameters": 7}),
    "no inputs": ("identity", {}),
    "two inputs": ("add_sub", {"INPUT0": [1, 2, 3, 4], "INPUT1": [1, 2, 3, 4]}),
    "two inputs of which one is missing": ("add_sub", {"INPUT0": [1, 2, 3, 4]}),
    "strings": ("strings", {"INPUT0": ["a", "é", ""]}),
    "a string": ("strings", {"INPUT0": "a"}),
    "truth": ("bool", {"INPUT0": [True, False]}),
    "halves": ("fp16", {"INPUT0": 1.5}),
    "no answers": ("repeat", {"INPUT0": []}),
    "one answer": ("repeat", {"INPUT0": 1}),
    "one answer that is the last": ("repeat", {"INPUT0": 1, "flag": "with"}),
    "two answers": ("repeat", {"INPUT0": [1, 0]}),
    "an error": ("repeat", {"INPUT0": -1}),
    "an error and an answer": ("repeat", {"INPUT0": [-1, 1]}),
    "an answer and an error": ("repeat", {"INPUT0": [1, -1]}),
    "a failing model": ("misbehaves", {"HOW": "raise"}),
    "no JSON": ("identity", "{"),
    "an empty body": ("identity", ""),
    "an array as the document": ("identity", "[]"),
    "an input twice": ("identity", '{"INPUT0":1,"INPUT0":2}'),
    "an unknown model": ("nobody", {"INPUT0": 1}),
    "a version that is not there": ("identity/versions/2", {"INPUT0": 1}),
    "a version": ("identity/versions/1", {"INPUT0": 1}),
}

HEADERS = {
    "gzip": ["Content-Encoding: gzip"],
    "identity": ["Content-Encoding: identity"],
    "accepting gzip": ["Accept-Encoding: gzip"],
    "a header length": ["Inference-Header-Content-Length: 5"],
}


def both(name, model, content, headers=()):
    for how in ("generate", "generate_stream"):
        yield post(f"{how}: {name}", f"/v2/models/{model}/{how}", content, headers)


CASES = [
    *(case for name, how in CONTENTS.items() for case in both(name, *how)),
    *(
        case
        for name, headers in HEADERS.items()
        for case in both(f"with {name}", "identity", {"INPUT0": 1}, headers)
    ),
]
