"""Outputs: which, how, and in which form."""

from http_corpus.case import asking, infer, tensor

A, B = (tensor([1, 2, 3, 4], name=name) for name in ("INPUT0", "INPUT1"))
VALUES = [1, 5, 3, 4.5, 2]


def add_sub(name, outputs, **members):
    return infer(f"outputs: {name}", "add_sub", asking(A, B, outputs=outputs, **members))


def scores(name, parameters, output="SCORES", values=VALUES, shape=None):
    given = tensor(values, shape=shape or [1, len(values)])
    return infer(f"classes: {name}", "scores", asking(given, outputs={output: parameters}))


def spelled(name, outputs):
    content = (
        '{"inputs":[{"name":"INPUT0","shape":[2],"datatype":"FP32","data":[1,2]}],'
        f'"outputs":{outputs}}}'
    )
    return infer(f"outputs: {name}", "identity", content)


BINARY = {"binary_data": True}

CASES = [
    add_sub("all", {"OUTPUT0": None, "OUTPUT1": None}),
    add_sub("in another order", {"OUTPUT1": None, "OUTPUT0": None}),
    add_sub("the second only", {"OUTPUT1": None}),
    add_sub("an unknown one", {"OUTPUT2": None}),
    add_sub("one binary", {"OUTPUT0": BINARY, "OUTPUT1": None}),
    add_sub("the other binary", {"OUTPUT0": None, "OUTPUT1": BINARY}),
    add_sub("both binary", {"OUTPUT0": BINARY, "OUTPUT1": BINARY}),
    add_sub("binary by default", None, parameters={"binary_data_output": True}),
    add_sub(
        "binary by default, one listed",
        {"OUTPUT0": None},
        parameters={"binary_data_output": True},
    ),
    add_sub(
        "binary by default, one listed otherwise",
        {"OUTPUT0": {"binary_data": False}},
        parameters={"binary_data_output": True},
    ),
    add_sub("unknown parameters", {"OUTPUT0": {"other": 1}}),
    *(
        add_sub(f"binary_data as {value!r}", {"OUTPUT0": {"binary_data": value}})
        for value in (1, 0, "true", None)
    ),
    spelled("none", "[]"),
    spelled("null", "null"),
    spelled("an object", "{}"),
    spelled("a number", "7"),
    spelled("of numbers", "[7]"),
    spelled("without a name", "[{}]"),
    spelled("a name that is none", '[{"name":7}]'),
    spelled("twice the same", '[{"name":"OUTPUT0"},{"name":"OUTPUT0"}]'),
    spelled("parameters that are none", '[{"name":"OUTPUT0","parameters":7}]'),
    scores("two", {"classification": 2}),
    scores("all", {"classification": 5}),
    scores("more than there are", {"classification": 100}),
    scores("none", {"classification": 0}),
    scores("binary", {"classification": 2, "binary_data": True}),
    scores("of a batch", {"classification": 1}, values=[1, 2, 4, 3], shape=[2, 2]),
    scores("of integers", {"classification": 5}, "INTS"),
    scores("of doubles", {"classification": 4}, "DOUBLES", [0.1, 1e10, -3, 1e-9]),
    scores("of small integers", {"classification": 2}, "BYTES"),
    scores("of more extents", {"classification": 2}, "SHORTS"),
    scores("of halves", {"classification": 2}, "HALVES"),
    scores("of truth", {"classification": 2}, "FLAGS"),
    *(
        scores(f"as {value!r}", {"classification": value})
        for value in (-1, "1", 1.5, True, None, 2**64)
    ),
    infer(
        "halves as JSON",
        "scores",
        asking(tensor(VALUES, shape=[1, 5]), outputs={"HALVES": None}),
    ),
    infer("strings of every kind", "strings", asking(tensor(["a", "é", ""], "BYTES"))),
    scores("of nothing", {"classification": 2}, values=[], shape=[1, 0]),
    scores("of strings", {"classification": 2}, "TEXTS"),
]
