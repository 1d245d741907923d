"""What a case consists of, and the requests that many of them are made from."""

import dataclasses
import json

from harness.raw import request


@dataclasses.dataclass(frozen=True)
class Case:
    """One request, byte by byte, sent over a connection of its own."""

    name: str
    data: bytes

    def __str__(self):
        return self.name.replace(" ", "-")


def text_of(content):
    """Bytes of a body: dicts and lists as JSON."""
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()


def get(name, path, method="GET", headers=()):
    return Case(name, request(path, method=method, headers=headers, length=False))


def post(name, path, content=b"", headers=(), method="POST"):
    return Case(name, request(path, text_of(content), method, headers))


def infer(name, model, content, headers=(), version=None):
    middle = "" if version is None else f"/versions/{version}"
    return post(name, f"/v2/models/{model}{middle}/infer", content, headers)


def tensor(data, datatype="FP32", shape=None, name="INPUT0", **members):
    """An input; `data` None is left out."""
    shape = [len(data)] if shape is None and data is not None else shape
    given = {"name": name, "shape": shape, "datatype": datatype}
    if data is not None:
        given["data"] = data
    return {**given, **members}


def asking(*inputs, outputs=None, **members):
    """A request with its inputs and, by name, the parameters of its outputs."""
    content = {"inputs": list(inputs), **members}
    if outputs is not None:
        content["outputs"] = [
            {"name": name, "parameters": parameters} if parameters else {"name": name}
            for name, parameters in outputs.items()
        ]
    return content


def with_blobs(name, model, content, *blobs, headers=(), length=None):
    """A request with binary data behind its JSON; `length` replaces that of the JSON."""
    text = text_of(content)
    size = len(text) if length is None else length
    header = f"Inference-Header-Content-Length: {size}"
    return infer(name, model, text + b"".join(blobs), [header, *headers])
