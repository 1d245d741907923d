"""Requests to infer: how they may be put, parameters of every type, and what is wrong with them."""

import bad_requests
from http_corpus.case import asking, infer, tensor, with_blobs

GOOD = tensor([1, 2])
ONE = tensor([1], "INT32")


def parameter_cases():
    values = {
        "an integer": 7,
        "a negative integer": -7,
        "the largest integer": 2**63 - 1,
        "more than the largest integer": 2**63,
        "true": True,
        "false": False,
        "a string": "x",
        "an empty string": "",
        "a double": 0.5,
        "a whole double": 2.0,
        "null": None,
        "an array": [1],
        "an object": {"a": 1},
    }
    for what, value in values.items():
        content = asking(ONE, parameters={"mine": value})
        yield infer(f"a parameter that is {what}", "request_info", content)
    special = {
        "sequence_id": [1, 0, 2**64 - 1, -1, "seven", "", "x" * 128, "x" * 129, True, 1.5],
        "sequence_start": [True, False, 1, "true"],
        "sequence_end": [True, False, 0],
        "priority": [0, 1, 2**32, -1, "1", 1.5],
        "timeout": [0, 1000000, -1, "1", True],
        "binary_data_output": [False, 1, "true"],
        "triton_mine": [1],
        "triton_": ["x"],
        "Triton_mine": [1],
        "": [1],
        "headers": ["x"],
    }
    for name, choices in special.items():
        for value in choices:
            content = asking(ONE, parameters={name: value})
            yield infer(f"parameter {name!r} as {value!r}", "request_info", content)
    yield infer("several parameters", "request_info", asking(ONE, parameters={"a": 1, "b": "c"}))
    yield infer(
        "a parameter twice", "request_info", '{"inputs":[%s],"parameters":{"a":1,"a":2}}' % ONE_TEXT
    )
    for value in ["7", "[]", '"x"', "null"]:
        content = f'{{"inputs":[{ONE_TEXT}],"parameters":{value}}}'
        yield infer(f"parameters as {value}", "request_info", content)


ONE_TEXT = '{"name":"INPUT0","shape":[1],"datatype":"INT32","data":[1]}'


def id_cases():
    for value in ["7", "", "x" * 1000, "é", 'quo"te', "a\u0000b"]:
        yield infer(f"id {value[:10]!r}", "request_info", asking(ONE, id=value))
    for value in [7, None, [], True]:
        yield infer(f"id as {value!r}", "request_info", asking(ONE, id=value))


def form_cases():
    yield infer("a good request", "identity", asking(GOOD))
    yield infer("a good request of version 1", "identity", asking(GOOD), version=1)
    yield infer("a request of version 2", "identity", asking(GOOD), version=2)
    yield infer("a request of a model that nobody has", "nobody", asking(GOOD))
    yield infer("blanks everywhere", "identity", ' \n{ "inputs" : [ %s ] }\t ' % GOOD_TEXT)
    yield infer("a byte order mark", "identity", b"\xef\xbb\xbf" + b'{"inputs":[%s]}' % GOOD_BYTES)
    yield infer("something behind the document", "identity", '{"inputs":[%s]}x' % GOOD_TEXT)
    yield infer("two documents", "identity", '{"inputs":[%s]}{}' % GOOD_TEXT)
    yield infer("a comment", "identity", '{"inputs":[%s]/* */}' % GOOD_TEXT)
    yield infer("a comma too many", "identity", '{"inputs":[%s],}' % GOOD_TEXT)
    yield infer("unknown members", "identity", {"other": {"a": [1]}, **asking(GOOD)})
    yield infer("inputs twice", "identity", '{"inputs":[%s],"inputs":[]}' % GOOD_TEXT)
    yield infer("an escaped name", "identity", '{"inp\\u0075ts":[%s]}' % GOOD_TEXT)
    for shape in ([2, 1], [1, 2], [1, 1, 2], [], [0], [-1], [2.0], ["2"], [True], 2, None):
        given = {**GOOD, "shape": shape}
        yield infer(f"shape {shape!r}", "identity", asking(given))
    yield infer("a batch", "batched", asking(tensor([1, 2, 3, 4], "INT32", [2, 2])))
    yield infer("the largest batch", "batched", asking(tensor([1] * 16, "INT32", [8, 2])))
    yield infer("too large a batch", "batched", asking(tensor([1] * 18, "INT32", [9, 2])))
    yield infer("no batch dimension", "batched", asking(tensor([1, 2], "INT32")))
    a, b = (tensor([1, 2, 3, 4], name=name) for name in ("INPUT0", "INPUT1"))
    yield infer("two inputs", "add_sub", asking(a, b))
    yield infer("two inputs in another order", "add_sub", asking(b, a))
    yield infer("an input too many", "identity", asking(GOOD, tensor([1], name="INPUT1")))
    yield infer("no inputs", "identity", asking())
    yield infer("optional inputs left out", "optional", asking(tensor([1], "INT32", name="A")))
    yield infer(
        "optional inputs given",
        "optional",
        asking(*(tensor([1], "INT32", name=name) for name in "ABC")),
    )
    for version in (None, 1, 3, 10, 2):
        yield infer(f"versions: {version}", "versions", asking(GOOD), version=version)
    for how in ["raise", "error", "nothing"]:
        given = tensor([how], "BYTES", name="HOW")
        yield infer(f"a model that fails: {how}", "misbehaves", asking(given))
    yield infer("a decoupled model that answers once", "repeat", asking(tensor([1], "INT32")))
    yield infer("a decoupled model that answers twice", "repeat", asking(tensor([1, 2], "INT32")))


GOOD_TEXT = '{"name":"INPUT0","shape":[2],"datatype":"FP32","data":[1,2]}'
GOOD_BYTES = GOOD_TEXT.encode()


def bad_cases():
    for case in bad_requests.CASES:
        headers = [f"{name}: {value}" for name, value in (case.headers or {}).items()]
        yield infer(f"bad: {case.name}", case.model, case.request, headers, case.version)


def binary_cases():
    blob = b"\0\0\x80\x3f\0\0\0\x40"
    given = tensor(None, shape=[2], parameters={"binary_data_size": 8})
    good = asking(given)
    yield with_blobs("binary in, JSON out", "identity", good, blob)
    yield with_blobs("a byte missing", "identity", good, blob[:-1])
    yield with_blobs("a byte too many", "identity", good, blob + b"\0")
    yield with_blobs("no data at all", "identity", good)
    yield with_blobs("the JSON cut short", "identity", good, blob, length=20)
    yield with_blobs("the JSON longer than the body", "identity", good, blob, length=100000)
    for length in (-1, "x", "", "1 2", "0x10", 2**31, 2**63, "+5", "1.0"):
        yield with_blobs(f"header length {length!r}", "identity", good, blob, length=length)
    for size in (0, 4, 12, -8, "8", 8.0, None, True, 2**63):
        wrong = tensor(None, shape=[2], parameters={"binary_data_size": size})
        yield with_blobs(f"binary_data_size {size!r}", "identity", asking(wrong), blob)
    both = tensor([1, 2], parameters={"binary_data_size": 8})
    yield with_blobs("data and binary data", "identity", asking(both), blob)
    a = tensor(None, shape=[4], parameters={"binary_data_size": 16})
    b = tensor([1, 2, 3, 4], name="INPUT1")
    yield with_blobs("binary and JSON inputs", "add_sub", asking(a, b), blob + blob)
    c = tensor(None, shape=[4], name="INPUT1", parameters={"binary_data_size": 16})
    yield with_blobs("two binary inputs", "add_sub", asking(a, c), blob * 4)
    yield infer("binary data without the header", "identity", good)


def raw_cases():
    header = ["Inference-Header-Content-Length: 0"]
    yield infer("raw", "identity", b"\0\0\x80\x3f\0\0\0\x40", header)
    yield infer("raw of a wrong size", "identity", b"\0\0\x80", header)
    yield infer("raw of nothing", "identity", b"", header)
    yield infer("an empty body", "identity", b"")
    yield infer("raw in a batch", "batched", b"\1\0\0\0\2\0\0\0", header)
    yield infer("raw too long for a batch", "batched", b"\1\0\0\0" * 3, header)
    yield infer("raw for two inputs", "add_sub", b"\0" * 16, header)
    yield infer("raw strings", "misbehaves", b"raise", header)
    yield infer("raw strings of any number", "bytes", b"abc", header)
    yield infer("raw for optional inputs", "optional", b"\1\0\0\0", header)


CASES = [
    *form_cases(),
    *parameter_cases(),
    *id_cases(),
    *binary_cases(),
    *raw_cases(),
    *bad_cases(),
]
