"""Requests that do not fit the model, or name one that is not there."""

from bad_requests.case import ONE, ROW, A, B, Case, P, given
from harness.infer import body

NOTE = (
    "NOTE: Setting a non-zero max_batch_size in the model config requires a batch dimension to be "
    "prepended to each input shape. If you want to specify the full shape including the batch dim "
    "in your input dims config, try setting max_batch_size to zero. See the model configuration "
    "docs for more info on max_batch_size."
)


def wrong_shape(model, expected, got, note=""):
    return (
        f"{P}unexpected shape for input 'INPUT0' for model '{model}'. "
        f"Expected {expected}, got {got}. {note}"
    )


def too_few(model, wanted, names, missing, prefix=P):
    return (
        f"{prefix}expected {wanted} inputs but got {len(names)} inputs for model '{model}'. "
        f"Got input(s) [{','.join(names)}], but missing required input(s) ['{missing}']. "
        "Please provide all required input(s)."
    )


CASES = [
    Case(
        "an unknown input",
        "identity",
        given(name="INPUT7"),
        400,
        "unexpected inference input 'INPUT7' for model 'identity'",
    ),
    Case(
        "an input without a name in it",
        "identity",
        given(name=""),
        400,
        "unexpected inference input '' for model 'identity'",
    ),
    Case(
        "no input",
        "identity",
        body(),
        400,
        too_few("identity", 1, [], "INPUT0"),
    ),
    Case(
        "a missing input",
        "add_sub",
        body(A),
        400,
        too_few("add_sub", 2, ["'INPUT0'"], "INPUT1"),
    ),
    Case(
        "the id in the message",
        "add_sub",
        body(A, id="id 7"),
        400,
        too_few("add_sub", 2, ["'INPUT0'"], "INPUT1", "[request id: id 7] "),
    ),
    Case(
        "too few inputs of some optional",
        "optional",
        body(),
        400,
        P
        + "expected number of inputs between 1 and 3 but got 0 inputs for model 'optional'. Got input(s) [], but missing required input(s) ['A']. Please provide all required input(s).",
    ),
    Case(
        "an input twice", "add_sub", body(A, A), 400, P + "input 'INPUT0' already exists in request"
    ),
    Case(
        "an unknown datatype",
        "identity",
        given(datatype="FLOAT"),
        400,
        "invalid datatype for input INPUT0",
    ),
    Case(
        "a datatype in small letters",
        "identity",
        given(datatype="fp32"),
        400,
        "invalid datatype for input INPUT0",
    ),
    Case(
        "another datatype",
        "identity",
        given(datatype="INT32"),
        400,
        P + "inference input 'INPUT0' data-type is 'INT32', but model 'identity' expects 'FP32'",
    ),
    Case(
        "a dimension too many",
        "identity",
        given(shape=[2, 1]),
        400,
        wrong_shape("identity", "[-1]", "[2,1]"),
    ),
    Case(
        "no dimension",
        "identity",
        given(shape=[]),
        400,
        wrong_shape("identity", "[-1]", "[]"),
    ),
    Case(
        "another dimension",
        "add_sub",
        body({**A, "shape": [3], "data": [1, 2, 3]}, B),
        400,
        wrong_shape("add_sub", "[4]", "[3]"),
    ),
    Case(
        "an unknown output",
        "add_sub",
        body(A, B, outputs=[{"name": "NOPE"}]),
        400,
        "unexpected inference output 'NOPE' for model 'add_sub'",
    ),
    Case(
        "a batch too large",
        "batched",
        body({**ROW, "shape": [9, 2], "data": [1] * 18}),
        400,
        P + "inference request batch-size must be <= 8 for 'batched'",
    ),
    Case(
        "no batch dimension",
        "batched",
        body({**ROW, "shape": [2]}),
        400,
        wrong_shape("batched", "[-1,2]", "[2]", NOTE),
    ),
    Case(
        "another dimension behind the batch",
        "batched",
        body({**ROW, "shape": [1, 3], "data": [1, 2, 3]}),
        400,
        wrong_shape("batched", "[-1,2]", "[1,3]", NOTE),
    ),
    Case(
        "no shape where a batch is due",
        "batched",
        body({**ROW, "shape": [], "data": []}),
        400,
        P + "input 'INPUT0' has no shape but model requires batch dimension for 'batched'",
    ),
    Case(
        "a batch of nothing",
        "batched",
        body({**ROW, "shape": [0, 2], "data": []}),
        400,
        P + "input byte size mismatch for input 'INPUT0' for model 'batched'. Expected 8, got 0",
    ),
    Case(
        "an unknown model",
        "nobody",
        given(),
        404,
        "Request for unknown model: 'nobody' is not found",
    ),
    Case(
        "an unknown version",
        "versions",
        body(ONE),
        404,
        "Request for unknown model: 'versions' version 2 is not found",
        version="2",
    ),
    Case(
        "version 0",
        "versions",
        body(ONE),
        404,
        "Request for unknown model: 'versions' version 0 is not found",
        version="0",
    ),
    Case("a version in words", "versions", body(ONE), 404, "Not Found", version="one"),
    Case(
        "a version beyond 64 bits",
        "versions",
        body(ONE),
        400,
        "failed to get model version from specified version string '99999999999999999999' (details: stol), version should be an integral value > 0",
        version="99999999999999999999",
    ),
]
