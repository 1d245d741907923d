"""Every datatype: values that it has, values that it has not, as JSON and as binary data."""

import struct

from http_corpus.case import asking, infer, tensor, with_blobs

INTEGERS = {
    "UINT8": (0, 255, "<B"),
    "UINT16": (0, 65535, "<H"),
    "UINT32": (0, 2**32 - 1, "<I"),
    "UINT64": (0, 2**64 - 1, "<Q"),
    "INT8": (-128, 127, "<b"),
    "INT16": (-(2**15), 2**15 - 1, "<h"),
    "INT32": (-(2**31), 2**31 - 1, "<i"),
    "INT64": (-(2**63), 2**63 - 1, "<q"),
}
FLOATS = {"FP32": "<f", "FP64": "<d"}
ALL = [*INTEGERS, *FLOATS, "BOOL", "FP16", "BYTES"]


def model_of(datatype):
    return "identity" if datatype == "FP32" else datatype.lower()


def spelled(name, datatype, data, shape):
    """A request whose data is spelled by hand."""
    given = f'"name":"INPUT0","datatype":"{datatype}","shape":{shape},"data":{data}'
    return infer(f"{datatype} {name}", model_of(datatype), f'{{"inputs":[{{{given}}}]}}')


def integer_cases():
    for datatype, (low, high, code) in INTEGERS.items():
        yield spelled("limits", datatype, [low, high, 0, 1], [4])
        yield spelled("above the limit", datatype, [high + 1], [1])
        yield spelled("below the limit", datatype, [low - 1], [1])
        for name, value in [
            ("a fraction", "1.5"),
            ("a whole fraction", "1.0"),
            ("an exponent", "1e2"),
            ("a string", '"1"'),
            ("true", "true"),
            ("null", "null"),
            ("an object", "{}"),
            ("minus zero", "-0"),
            ("a leading zero", "01"),
            ("a plus", "+1"),
        ]:
            yield spelled(name, datatype, f"[{value}]", [1])
        blob = struct.pack(code, low) + struct.pack(code, high)
        yield binary_case(datatype, blob, 2)


def float_cases():
    for datatype, code in FLOATS.items():
        yield spelled("ordinary values", datatype, "[0,-0.0,1,0.1,1e-7,1e21,123456789.125]", [7])
        yield spelled("limits", datatype, "[3.4028234e38,1e-45,-3.4028234e38,1.17549435e-38]", [4])
        yield spelled("beyond FP32", datatype, "[1e39,-1e39,1e-50]", [3])
        yield spelled("names", datatype, "[NaN,Infinity,-Infinity,Inf,-Inf]", [5])
        yield spelled("beyond doubles", datatype, "[1e400]", [1])
        yield spelled("many digits", datatype, f"[{'1' * 400}e-390,0.{'0' * 300}1]", [2])
        for name, value in [
            ("a string", '"1"'),
            ("true", "true"),
            ("null", "null"),
            ("an object", "{}"),
            ("no digits behind the point", "1."),
            ("no digits before the point", ".5"),
            ("an empty exponent", "1e"),
            ("a lone minus", "-"),
            ("hexadecimal", "0x10"),
        ]:
            yield spelled(name, datatype, f"[{value}]", [1])
        yield binary_case(datatype, struct.pack(code, 0.5) + struct.pack(code, -1e-3), 2)


def bool_cases():
    yield spelled("both", "BOOL", "[true,false]", [2])
    for value in ["0", "1", '"true"', "null", "True", "tru"]:
        yield spelled(f"as {value}", "BOOL", f"[{value}]", [1])
    yield binary_case("BOOL", b"\1\0\2", 3)


def bytes_cases():
    for name, value in [
        ("plain", '"plain"'),
        ("empty", '""'),
        ("beyond ASCII", '"é€😀"'),
        ("escapes", r'"\"\\\/\b\f\n\r\t"'),
        ("escaped characters", r'"\u00e9\u20ac\ud83d\ude00"'),
        ("a NUL", r'"a\u0000b"'),
        ("half a pair", r'"\ud83d"'),
        ("the other half", r'"\ude00"'),
        ("a bad escape", r'"\x41"'),
        ("bad digits", r'"\u12g4"'),
        ("a raw newline", '"a\nb"'),
        ("a number", "1"),
        ("true", "true"),
        ("null", "null"),
        ("an object", "{}"),
        ("an open string", '"abc'),
    ]:
        yield spelled(name, "BYTES", f"[{value}]", [1])
    yield spelled("long", "BYTES", '["' + "a" * 5000 + '"]', [1])
    yield spelled("too many", "BYTES", '["a","b","c"]', [2])
    yield spelled("too few", "BYTES", '["a"]', [2])
    yield spelled("none", "BYTES", "[]", [0])
    yield spelled("nested", "BYTES", '[["a",["b"]],"c"]', [3])
    yield binary_case("BYTES", b"\3\0\0\0abc\0\0\0\0", 2)
    for name, blob, count in [
        ("half a prefix", b"\3\0", 1),
        ("half a string", b"\3\0\0\0ab", 1),
        ("a huge prefix", b"\xff\xff\xff\xffab", 1),
        ("more strings than the shape", b"\0\0\0\0\0\0\0\0", 1),
        ("fewer strings than the shape", b"\0\0\0\0", 2),
        ("no UTF-8", b"\2\0\0\0\xff\xfe", 1),
    ]:
        given = tensor(None, "BYTES", [count], parameters={"binary_data_size": len(blob)})
        yield with_blobs(f"BYTES binary with {name}", "bytes", asking(given), blob)


def binary_case(datatype, blob, count):
    given = tensor(None, datatype, [count], parameters={"binary_data_size": len(blob)})
    content = asking(given, outputs={"OUTPUT0": {"binary_data": True}})
    return with_blobs(f"{datatype} binary both ways", model_of(datatype), content, blob)


def shape_cases():
    for datatype in ALL:
        data = {"BOOL": "[true,[false]]", "BYTES": '["a",["b"]]'}.get(datatype, "[1,[2]]")
        yield spelled("unevenly nested", datatype, data, [2])
        yield spelled("too many elements", datatype, data, [1])
        yield spelled("too few elements", datatype, data, [3])
        yield spelled("no elements", datatype, "[]", [0])
        yield spelled("no array", datatype, "7", [1])
        yield spelled("another datatype", "UINT16" if datatype == "INT8" else "INT8", "[1]", [1])
        size = {"BYTES": 5, "BOOL": 1, "FP16": 2}.get(datatype, 8)
        given = tensor(None, datatype, [1], parameters={"binary_data_size": size + 1})
        yield with_blobs(
            f"{datatype} binary of a wrong size",
            model_of(datatype),
            asking(given),
            b"\1" * (size + 1),
        )


def unique(cases):
    seen = {}
    for case in cases:
        seen.setdefault(case.name, case)
    return list(seen.values())


CASES = unique(
    [
        *integer_cases(),
        *float_cases(),
        *bool_cases(),
        *bytes_cases(),
        binary_case("FP16", b"\0\x3c\0\x80", 2),
        spelled("as JSON", "FP16", "[1.5]", [1]),
        spelled("as JSON", "BF16", "[1.5]", [1]),
        *shape_cases(),
    ]
)
