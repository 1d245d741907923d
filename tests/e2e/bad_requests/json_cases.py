"""Requests that are no JSON, or not the JSON of a request."""

from bad_requests.case import ONE, PARSE, A, B, Case, data_text, given, no_member, not_a, one_source
from harness.infer import body

NOT_JSON = [
    Case("an open object", "identity", "{", 500, PARSE + "Missing a name for object member. at 1"),
    Case("no JSON at all", "identity", "nonsense", 500, PARSE + "Invalid value. at 1"),
    Case("bytes that are no text", "identity", b"\xff\xfe{}", 500, PARSE + "Invalid value. at 0"),
    Case("an array cut short", "identity", '{"inputs":[}', 500, PARSE + "Invalid value. at 11"),
    Case(
        "an object cut short",
        "identity",
        '{"inputs":[{"name":"INPUT0","datatype":"FP32","shape":[2],"data":[1,2]}]',
        500,
        PARSE + "Missing a comma or '}' after an object member. at 72",
    ),
    Case(
        "a string cut short",
        "identity",
        '{"inputs":[{"name":"INPUT0',
        500,
        PARSE + "Missing a closing quotation mark in string. at 26",
    ),
    Case(
        "something behind the object",
        "identity",
        '{"inputs":[]} x',
        500,
        PARSE + "The document root must not be followed by other values. at 14",
    ),
    Case(
        "a comment",
        "identity",
        '{/* no */"inputs":[]}',
        500,
        PARSE + "Missing a name for object member. at 1",
    ),
    Case("a comma too many", "identity", data_text("[1,2,]"), 500, PARSE + "Invalid value. at 70"),
    Case(
        "half of a surrogate pair",
        "identity",
        '{"a":"\\ud800"}',
        500,
        PARSE + "The surrogate pair in string is invalid. at 6",
    ),
    Case(
        "an unknown escape",
        "identity",
        '{"a":"\\x41"}',
        500,
        PARSE + "Invalid escape character in string. at 6",
    ),
    Case(
        "a control character in a string",
        "identity",
        '{"a":"\x01"}',
        500,
        PARSE + "Invalid escape character in string. at 6",
    ),
    Case(
        "deep nesting left open", "identity", "[" * 100000, 500, PARSE + "Invalid value. at 100000"
    ),
    Case(
        "deep nesting of arrays", "identity", "[" * 100000 + "]" * 100000, 500, no_member("inputs")
    ),
    Case(
        "deep nesting of objects",
        "identity",
        '{"a":' * 100000 + "1" + "}" * 100000,
        500,
        no_member("inputs"),
    ),
    Case(
        "deep nesting of data",
        "identity",
        data_text("[" * 100000 + "1,2" + "]" * 100000),
        400,
        "",
    ),
]

NUMBERS = [
    Case(name, "identity", data_text(f"[{text},2]"), 500, PARSE + message)
    for name, text, message in [
        ("a number beyond double", "1e400", "Number too big to be stored in double. at 66"),
        ("a very long number", "1" * 1000, "Number too big to be stored in double. at 66"),
        ("a leading zero", "01", "Missing a comma or ']' after an array element. at 67"),
        ("a plus sign", "+1", "Invalid value. at 66"),
        ("no digit before the point", ".5", "Invalid value. at 66"),
        ("no digit after the point", "1.", "Miss fraction part in number. at 68"),
        ("no digit in the exponent", "1e", "Miss exponent in number. at 68"),
        ("a hexadecimal number", "0x1", "Missing a comma or ']' after an array element. at 67"),
    ]
]

MEMBERS = [
    Case("no inputs", "identity", "{}", 500, no_member("inputs")),
    Case("an array for a request", "identity", "[]", 500, no_member("inputs")),
    Case("a number for a request", "identity", "5", 500, no_member("inputs")),
    Case("null for a request", "identity", "null", 500, no_member("inputs")),
    Case("inputs in an object", "identity", '{"inputs":{}}', 500, not_a("array", "inputs")),
    Case("null for inputs", "identity", '{"inputs":null}', 500, not_a("array", "inputs")),
    Case(
        "a number for an input",
        "identity",
        '{"inputs":[5]}',
        400,
        one_source("But no field is set"),
    ),
    Case("no name", "identity", given(name=None), 500, no_member("name")),
    Case("a number for a name", "identity", given(name=5), 500, not_a("string", "name")),
    Case("no datatype", "identity", given(datatype=None), 500, no_member("datatype")),
    Case(
        "a number for a datatype", "identity", given(datatype=5), 500, not_a("string", "datatype")
    ),
    Case("no shape", "identity", given(shape=None), 500, no_member("shape")),
    Case("a number for a shape", "identity", given(shape=5), 500, not_a("array", "shape")),
    Case(
        "text in a shape", "identity", given(shape=["2"]), 500, not_a("unsigned-integer", "shape")
    ),
    Case(
        "a negative dimension",
        "identity",
        given(shape=[-2]),
        500,
        not_a("unsigned-integer", "shape"),
    ),
    Case(
        "a fractional dimension",
        "identity",
        given(shape=[2.0]),
        500,
        not_a("unsigned-integer", "shape"),
    ),
    Case(
        "a dimension beyond 64 bits",
        "identity",
        given(shape=[2**64]),
        500,
        not_a("unsigned-integer", "shape"),
    ),
    Case("no data", "identity", given(data=None), 400, one_source("But no field is set")),
    Case("a number for data", "identity", given(data=5), 500, not_a("array", "data")),
    Case("text for data", "identity", given(data="12"), 500, not_a("array", "data")),
    Case("an object for data", "identity", given(data={}), 500, not_a("array", "data")),
    Case("null for data", "identity", data_text("null"), 500, not_a("array", "data")),
    Case("a number for an id", "request_info", body(ONE, id=5), 500, not_a("string", "id")),
    Case("outputs in an object", "add_sub", body(A, B, outputs={}), 500, not_a("array", "outputs")),
    Case("null for outputs", "add_sub", body(A, B, outputs=None), 500, not_a("array", "outputs")),
    Case("an output without a name", "add_sub", body(A, B, outputs=[{}]), 500, no_member("name")),
    Case("a number for an output", "add_sub", body(A, B, outputs=[5]), 500, no_member("name")),
    Case(
        "text for binary_data",
        "add_sub",
        body(A, B, outputs=[{"name": "OUTPUT0", "parameters": {"binary_data": "yes"}}]),
        500,
        not_a("boolean", "binary_data"),
    ),
]

PARAMETERS = [
    Case(f"parameter {name}", "request_info", body(ONE, parameters=value), status, message)
    for name, value, status, message in [
        (
            "of an array",
            {"p": [1]},
            400,
            "parameter 'p' has invalid type. It should be either 'int', 'bool', or 'string'.",
        ),
        (
            "of an object",
            {"p": {}},
            400,
            "parameter 'p' has invalid type. It should be either 'int', 'bool', or 'string'.",
        ),
        (
            "of null",
            {"p": None},
            400,
            "parameter 'p' has invalid type. It should be either 'int', 'bool', or 'string'.",
        ),
        (
            "with a reserved name",
            {"triton_x": 1},
            400,
            "parameter keys starting with 'triton_' are reserved for Triton usage and should not "
            "be specified.",
        ),
        (
            "sequence_start of text",
            {"sequence_start": "x"},
            500,
            not_a("boolean", "sequence_start"),
        ),
        ("timeout of text", {"timeout": "x"}, 500, not_a("unsigned-integer", "timeout")),
        ("timeout below zero", {"timeout": -1}, 500, not_a("unsigned-integer", "timeout")),
        ("priority of text", {"priority": "x"}, 500, not_a("unsigned-integer", "priority")),
        ("sequence_id below zero", {"sequence_id": -1}, 500, not_a("string", "sequence_id")),
        (
            "sequence_id of 129 characters",
            {"sequence_id": "a" * 129},
            501,
            "string correlation ID cannot be longer than 128 characters",
        ),
        (
            "binary_data_output of text",
            {"binary_data_output": "x"},
            500,
            not_a("boolean", "binary_data_output"),
        ),
    ]
] + [
    Case(
        "parameters in a number",
        "request_info",
        body(ONE, parameters=5),
        500,
        "failed to get request params.: attempt to get members for non-object",
    ),
]

CASES = NOT_JSON + NUMBERS + MEMBERS + PARAMETERS
