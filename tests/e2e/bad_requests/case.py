"""What a bad request is made of, and the phrases that its answers have in common."""

import dataclasses

from harness.infer import body, tensor

# How messages about a request begin when it has no id.
P = "[request id: <id_unknown>] "
PARSE = "failed to parse the request JSON buffer: "
LENGTH = "Inference-Header-Content-Length"


@dataclasses.dataclass(frozen=True)
class Case:
    """A request and NVIDIA's answer to it."""

    name: str
    model: str
    request: object
    status: int
    message: str
    headers: dict | None = None
    version: str | None = None

    def __str__(self):
        return self.name.replace(" ", "-")


def not_a(kind, field):
    return f"Unable to parse '{field}': attempt to access JSON non-{kind} as {kind}"


def no_member(field):
    return f"Unable to parse '{field}': attempt to access non-existing object member '{field}'"


def one_source(what):
    return (
        "Input must set only one of the following fields: 'data', 'binary_data_size' in "
        f"'parameters', 'shared_memory_region' in 'parameters'. {what}"
    )


def given(**changes):
    """A good request to `identity` with changes to its input; None takes a member away."""
    one = {**tensor("INPUT0", "FP32", [2], [1, 2]), **changes}
    return body({name: value for name, value in one.items() if value is not None})


def data_text(text, datatype="FP32", shape="[2]"):
    """A request whose `data` is spelled by hand."""
    return (
        f'{{"inputs":[{{"name":"INPUT0","datatype":"{datatype}","shape":{shape},"data":{text}}}]}}'
    )


A = tensor("INPUT0", "FP32", [4], [1, 2, 3, 4])
B = tensor("INPUT1", "FP32", [4], [1, 2, 3, 4])
ROW = tensor("INPUT0", "INT32", [1, 2], [1, 2])
ONE = tensor("INPUT0", "INT32", [1], [1])
