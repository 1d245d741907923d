"""Requests whose data do not fit what they say about them."""

import json
import struct

from bad_requests.case import LENGTH, PARSE, Case, P, given, not_a, one_source
from harness.infer import body, tensor, with_blob

COUNT = "Unable to parse 'data': Shape does not match true shape of 'data' field"
TWO = struct.pack("<2f", 1, 2)
STRING = struct.pack("<I", 1) + b"a"


def binary(blob, size, shape=(2,), datatype="FP32", model="identity", **more):
    """The keyword arguments of a Case with binary data."""
    parameters = {"binary_data_size": size}
    one = {"name": "INPUT0", "datatype": datatype, "shape": list(shape), "parameters": parameters}
    request, headers = with_blob(body({**one, **more}), blob)
    return {"model": model, "request": request, "headers": headers}


DATA = [
    Case("too few numbers", "identity", given(data=[1]), 500, COUNT),
    Case("too many numbers", "identity", given(data=[1, 2, 3]), 500, COUNT),
    Case("no numbers", "identity", given(data=[]), 500, COUNT),
    Case(
        "text among numbers",
        "identity",
        given(data=["1", "2"]),
        500,
        "Unable to parse 'data': attempt to access JSON non-number as double",
    ),
    Case(
        "null among numbers",
        "identity",
        given(data=[None, None]),
        500,
        "Unable to parse 'data': attempt to access JSON non-number as double",
    ),
    Case(
        "true among numbers",
        "identity",
        given(data=[True, False]),
        500,
        "Unable to parse 'data': attempt to access JSON non-number as double",
    ),
    Case("2^63 elements", "identity", given(shape=[2**63]), 500, COUNT),
    Case("2^63-1 elements", "identity", given(shape=[2**63 - 1]), 400, ""),
    Case("2^64-1 elements", "identity", given(shape=[2**64 - 1]), 400, ""),
    Case("2^62 elements", "identity", given(shape=[2**62]), 400, ""),
    Case("2^61 elements", "identity", given(shape=[2**61]), 400, ""),
    Case("10^12 elements", "identity", given(shape=[10**12]), 400, ""),
    Case("2^31 elements", "identity", given(shape=[2**31]), 400, ""),
    Case(
        "a product beyond 64 bits",
        "identity",
        given(shape=[2**40, 2**40]),
        400,
        P
        + "unexpected shape for input 'INPUT0' for model 'identity'. Expected [-1], got [1099511627776,1099511627776]. ",
    ),
    Case(
        "a fraction for INT32",
        "int32",
        body(tensor("INPUT0", "INT32", [1], [1.5])),
        500,
        not_a("signed-integer", "data"),
    ),
    Case(
        "a float for INT32",
        "int32",
        body(tensor("INPUT0", "INT32", [1], [1.0])),
        500,
        not_a("signed-integer", "data"),
    ),
    Case(
        "2^63 for INT32",
        "int32",
        body(tensor("INPUT0", "INT32", [1], [2**63])),
        500,
        not_a("signed-integer", "data"),
    ),
    Case(
        "2^63 for INT64",
        "int64",
        body(tensor("INPUT0", "INT64", [1], [2**63])),
        500,
        not_a("signed-integer", "data"),
    ),
    Case(
        "-1 for UINT8",
        "uint8",
        body(tensor("INPUT0", "UINT8", [1], [-1])),
        500,
        not_a("unsigned-integer", "data"),
    ),
    Case(
        "2^64 for UINT64",
        "uint64",
        body(tensor("INPUT0", "UINT64", [1], [2**64])),
        500,
        not_a("unsigned-integer", "data"),
    ),
    Case(
        "1 for BOOL",
        "bool",
        body(tensor("INPUT0", "BOOL", [1], [1])),
        500,
        not_a("boolean", "data"),
    ),
    Case(
        "text for BOOL",
        "bool",
        body(tensor("INPUT0", "BOOL", [1], ["true"])),
        500,
        not_a("boolean", "data"),
    ),
    Case(
        "numbers for BYTES",
        "bytes",
        body(tensor("INPUT0", "BYTES", [2], [1, 2])),
        500,
        "Unable to parse JSON bytes array: attempt to access JSON non-string as string",
    ),
    Case(
        "too few strings",
        "bytes",
        body(tensor("INPUT0", "BYTES", [2], ["a"])),
        400,
        P + "expected 2 string elements for inference input 'INPUT0' for model 'bytes', got 1",
    ),
    Case(
        "too many strings",
        "bytes",
        body(tensor("INPUT0", "BYTES", [2], ["a", "b", "c"])),
        400,
        P
        + "unexpected number of string elements 3 for inference input 'INPUT0' for model 'bytes', expecting 2",
    ),
]

BINARY = [
    Case(
        "binary data too short",
        **binary(TWO[:7], 8),
        status=400,
        message="unexpected size for input 'INPUT0', expecting 1 additional bytes for model 'identity'",
    ),
    Case(
        "binary data too long",
        **binary(TWO + b"x", 8),
        status=400,
        message="unexpected additional input data for model 'identity'",
    ),
    Case(
        "less binary data than the shape says",
        **binary(TWO[:4], 4),
        status=400,
        message=P
        + "input byte size mismatch for input 'INPUT0' for model 'identity'. Expected 8, got 4",
    ),
    Case(
        "more binary data than the shape says",
        **binary(TWO + TWO[:4], 12),
        status=400,
        message=P
        + "input byte size mismatch for input 'INPUT0' for model 'identity'. Expected 8, got 12",
    ),
    Case(
        "no binary data",
        **binary(b"", 0),
        status=400,
        message=P
        + "input byte size mismatch for input 'INPUT0' for model 'identity'. Expected 8, got 0",
    ),
    Case(
        "a binary size of text",
        **binary(TWO, "8"),
        status=500,
        message=not_a("unsigned-integer", "binary_data_size"),
    ),
    Case(
        "a binary size below zero",
        **binary(TWO, -8),
        status=500,
        message=not_a("unsigned-integer", "binary_data_size"),
    ),
    Case(
        "a binary size of 2^63",
        **binary(TWO, 2**63),
        status=400,
        message="unexpected size for input 'INPUT0', expecting 9223372036854775800 additional bytes for model 'identity'",
    ),
    Case(
        "a binary size of 2^64-1",
        **binary(TWO, 2**64 - 1),
        status=400,
        message="unexpected size for input 'INPUT0', expecting 18446744073709551607 additional bytes for model 'identity'",
    ),
    Case(
        "data and binary data",
        **binary(TWO, 8, data=[1, 2]),
        status=400,
        message=one_source("But set 'data' 'binary_data_size'"),
    ),
    Case(
        "a string cut short in binary data",
        **binary(struct.pack("<I", 2) + b"a", 5, [1], "BYTES", "bytes"),
        status=400,
        message="incomplete string data for inference input 'INPUT0', expecting string of length 2 but only 1 bytes available",
    ),
    Case(
        "a huge string in binary data",
        **binary(struct.pack("<I", 2**32 - 1) + b"a", 5, [1], "BYTES", "bytes"),
        status=400,
        message="incomplete string data for inference input 'INPUT0', expecting string of length 4294967295 but only 1 bytes available",
    ),
    Case(
        "a length cut short in binary data",
        **binary(b"\1\0\0", 3, [1], "BYTES", "bytes"),
        status=400,
        message=P
        + "incomplete string length indicator for inference input 'INPUT0' for model 'bytes', expecting 4 bytes but only 3 bytes available. Please make sure the string length indicator is in one buffer.",
    ),
    Case(
        "a binary string too many",
        **binary(STRING * 2, 10, [1], "BYTES", "bytes"),
        status=400,
        message=P
        + "unexpected number of string elements 2 for inference input 'INPUT0' for model 'bytes', expecting 1",
    ),
    Case(
        "a binary string too few",
        **binary(STRING, 5, [2], "BYTES", "bytes"),
        status=400,
        message=P
        + "expected 2 string elements for inference input 'INPUT0' for model 'bytes', got 1",
    ),
    Case(
        "half floats that would be JSON",
        **binary(b"\0\x3c", 2, [1], "FP16", "fp16"),
        status=400,
        message="sending FP16 data via JSON is not supported. Please use the binary data format for output",
    ),
]

HEADERS = [
    Case(
        "a JSON size below zero",
        "identity",
        json.dumps(given()),
        400,
        "inference header size should be in range (0, 82), got: -1",
        {LENGTH: "-1"},
    ),
    Case(
        "a JSON size beyond the body",
        "identity",
        json.dumps(given()),
        400,
        "inference header size should be in range (0, 82), got: 10000",
        {LENGTH: "10000"},
    ),
    Case(
        "a JSON size that cuts the JSON",
        "identity",
        json.dumps(given()),
        500,
        PARSE + "Missing a closing quotation mark in string. at 5",
        {LENGTH: "5"},
    ),
    Case(
        "raw data for a model with two inputs",
        "add_sub",
        TWO,
        400,
        P
        + "Raw request must only have 1 input (found 1) to be deduced but got 2 inputs in 'add_sub' model configuration",
        {LENGTH: "0"},
    ),
    Case(
        "an empty body for a model with two inputs",
        "add_sub",
        b"",
        400,
        P
        + "Raw request must only have 1 input (found 1) to be deduced but got 2 inputs in 'add_sub' model configuration",
    ),
    Case(
        "raw data that is no number of elements",
        "identity",
        TWO[:7],
        400,
        P
        + "input byte size mismatch for input 'raw_input' for model 'identity'. Expected 4, got 7",
        {LENGTH: "0"},
    ),
    Case(
        "raw strings of any number",
        "bytes",
        b"hello",
        400,
        P + "For BYTE datatype raw input 'INPUT0', the model must have input shape [1]",
        {LENGTH: "0"},
    ),
    Case(
        "an unknown compression",
        "identity",
        json.dumps(given()),
        501,
        "Unsupported compression type",
        {"Content-Encoding": "br"},
    ),
]

CASES = DATA + BINARY + HEADERS
