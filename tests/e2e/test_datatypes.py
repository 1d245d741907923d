"""Every datatype, both ways, as JSON and as binary data."""

import json

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import np_to_triton_dtype

from harness.infer import body, error_of, outputs, post, tensor, with_blob

INTEGERS = ["UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64"]
FLOATS = ["FP16", "FP32", "FP64"]
OTHERS = ["BOOL", "BYTES"]
NUMPY = {
    "BOOL": np.bool_,
    "FP16": np.float16,
    "FP32": np.float32,
    "FP64": np.float64,
    "BYTES": np.object_,
    **{name: np.dtype(name.lower()).type for name in INTEGERS},
}
JSON_VALUES = {
    "BOOL": [True, False, True],
    "FP32": [0.0, -0.0, 0.1, 1e-45, -3.4028234663852886e38, 16777217.0],
    "FP64": [0.0, -0.0, 0.1, 5e-324, 1.7976931348623157e308, 123456789012345680000.0, 1e21, 1e-7],
    "BYTES": ["", "plain", "é€😀", 'quo"te \\ / \b\f\n\r\t', "\u0000\u001f\u007f", "a" * 100000],
}
for _name in INTEGERS:
    _limits = np.iinfo(NUMPY[_name])
    JSON_VALUES[_name] = [0, 1, int(_limits.min), int(_limits.max)]


def name_of(datatype):
    return f"identity_{datatype.lower()}"


def array_of(datatype):
    """Limits and ordinary values of a datatype."""
    if datatype == "FP16":
        return np.array([0.0, -0.0, 1.5, 65504.0, 6e-8, np.inf, -np.inf], dtype=np.float16)
    if datatype == "BYTES":
        return np.array([b"", b"\0", b"\xff\xfe not UTF-8", b"a" * 70000], dtype=np.object_)
    return np.array(JSON_VALUES[datatype], dtype=NUMPY[datatype])


@pytest.fixture(scope="module")
def server(module_servers):
    repository = module_servers.repository()
    for datatype in INTEGERS + FLOATS + OTHERS:
        in_config = "TYPE_STRING" if datatype == "BYTES" else f"TYPE_{datatype}"
        repository.add("identity", name_of(datatype), edit={"TYPE_FP32": in_config})
    repository.add("identity_dlpack")
    for datatype in ["INT32", "FP64"]:
        repository.add(
            "identity_dlpack",
            f"dlpack_{datatype.lower()}",
            edit={"TYPE_BF16": f"TYPE_{datatype}"},
        )
    return module_servers.start(repository)


@pytest.mark.parametrize("datatype", JSON_VALUES)
def test_json_values_come_back_equal(server, datatype):
    values = JSON_VALUES[datatype]
    request = body(tensor("INPUT0", datatype, [len(values)], values))
    answer = outputs(post(server, name_of(datatype), request))["OUTPUT0"]
    if datatype == "FP32":
        values = np.array(values, dtype=np.float32).tolist()
    assert answer == values
    assert [str(value) for value in answer] == [str(value) for value in values]


@pytest.mark.parametrize("datatype", ["FP32", "FP64"])
def test_integers_are_good_enough_for_floats(server, datatype):
    request = body(tensor("INPUT0", datatype, [2], [1, -2]))
    assert outputs(post(server, name_of(datatype), request))["OUTPUT0"] == [1.0, -2.0]


@pytest.mark.parametrize("datatype", ["FP32", "FP64"])
def test_what_is_not_finite_is_spelled_as_numpy_users_know_it(server, datatype):
    text = (
        '{"inputs":[{"name":"INPUT0","datatype":"%s","shape":[3],'
        '"data":[NaN,Infinity,-Infinity]}]}' % datatype
    )
    answer = post(server, name_of(datatype), text)
    assert answer.status_code == 200
    assert answer.text.endswith('"data":[NaN,Infinity,-Infinity]}]}')


@pytest.mark.parametrize("datatype", INTEGERS + FLOATS + OTHERS)
def test_binary_values_come_back_bit_for_bit(server, datatype):
    array = array_of(datatype)
    given = triton.InferInput("INPUT0", array.shape, np_to_triton_dtype(array.dtype))
    assert given.datatype() == datatype
    given.set_data_from_numpy(array)
    with triton.InferenceServerClient(server.address) as client:
        answer = client.infer(name_of(datatype), [given]).as_numpy("OUTPUT0")
    assert answer.dtype == array.dtype
    if datatype == "BYTES":
        assert answer.tolist() == array.tolist()
    else:
        assert answer.tobytes() == array.tobytes()


@pytest.mark.parametrize("datatype", INTEGERS + ["FP32", "FP64"] + OTHERS)
def test_a_tensor_may_be_empty(server, datatype):
    request = body(tensor("INPUT0", datatype, [0], []))
    assert outputs(post(server, name_of(datatype), request))["OUTPUT0"] == []


@pytest.mark.parametrize(
    ("model", "datatype", "raw"),
    [
        ("identity_dlpack", "BF16", bytes(range(1, 9))),
        ("dlpack_int32", "INT32", bytes(range(12))),
        ("dlpack_fp64", "FP64", np.array([0.1, -1e300]).tobytes()),
    ],
)
def test_dlpack_gives_back_what_it_takes(server, model, datatype, raw):
    n_elements = len(raw) // {"BF16": 2, "INT32": 4, "FP64": 8}[datatype]
    given = {
        "name": "INPUT0",
        "datatype": datatype,
        "shape": [n_elements],
        "parameters": {"binary_data_size": len(raw)},
    }
    request = body(given, parameters={"binary_data_output": True})
    answer = post(server, model, *with_blob(request, raw))
    assert answer.status_code == 200, answer.text
    header_size = int(answer.headers["Inference-Header-Content-Length"])
    (output,) = json.loads(answer.content[:header_size])["outputs"]
    assert (output["datatype"], output["shape"]) == (datatype, [n_elements])
    assert answer.content[header_size:] == raw


@pytest.mark.parametrize(
    ("model", "datatype"), [("identity_fp16", "FP16"), ("identity_dlpack", "BF16")]
)
def test_half_floats_have_no_json_form(server, model, datatype):
    answer = post(server, model, body(tensor("INPUT0", datatype, [1], [1.0])))
    assert answer.status_code == 400
    assert error_of(answer) == (
        f"receiving {datatype} data via JSON is not supported. "
        "Please use the binary data format for input INPUT0"
    )


@pytest.mark.parametrize(
    ("datatype", "value", "answer"),
    [("INT32", 2**31, -(2**31)), ("INT32", -(2**31) - 1, 2**31 - 1), ("UINT8", 256, 0)],
)
def test_integers_that_are_too_wide_are_cut(server, datatype, value, answer):
    request = body(tensor("INPUT0", datatype, [1], [value]))
    assert outputs(post(server, name_of(datatype), request))["OUTPUT0"] == [answer]
