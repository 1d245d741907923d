"""Bodies of inference requests, and what their answers are compared with."""

import json
import re

import requests


def tensor(name, datatype, shape, data):
    """One input of a JSON request."""
    return {"name": name, "datatype": datatype, "shape": shape, "data": data}


def body(*inputs, **members):
    """A JSON request."""
    return {"inputs": list(inputs), **members}


def with_blob(request, *blobs):
    """A request with binary data behind its JSON: the body and the header it needs."""
    text = json.dumps(request).encode()
    return text + b"".join(blobs), {"Inference-Header-Content-Length": str(len(text))}


def post(server, model, request, headers=None, version=None, session=requests, timeout_s=60):
    """Sends an inference request; dicts are sent as JSON."""
    data = json.dumps(request) if isinstance(request, dict) else request
    return session.post(
        server.infer_url(model, version), data=data, headers=headers, timeout=timeout_s
    )


def outputs(answer):
    """The data of a successful JSON answer, by the name of the output."""
    assert answer.status_code == 200, answer.text
    return {output["name"]: output["data"] for output in answer.json()["outputs"]}


def error_of(answer):
    """The message of an error, whose body must be one object with one member and no spaces."""
    (pair,) = json.loads(answer.content, object_pairs_hook=list)
    assert pair[0] == "error" and answer.content.startswith(b'{"error":"'), answer.content
    return pair[1]


def assert_same_json(text, expected):
    """Asserts that two JSON texts have the same members in the same order, equal values (numbers
    by value, however they are spelled) and that `text` has no space between its tokens."""
    assert not re.search(r"\s", re.sub(r'"(?:[^"\\]|\\.)*"', "", text)), text
    ordered = json.loads(text, object_pairs_hook=list)
    assert ordered == json.loads(expected, object_pairs_hook=list), text
