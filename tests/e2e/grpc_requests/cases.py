"""The requests, each by a name. A request is a message, or bytes in its place."""

import struct

from tritonclient.grpc import service_pb2 as pb

MODELS = ["identity", "add_sub", "batched", "optional", "strings", "versions"]
DATATYPES = {
    "BOOL": ("bool_contents", [True, False, True], b"\1\0\1"),
    "UINT8": ("uint_contents", [1, 255, 256], b"\1\xff\0"),
    "UINT16": ("uint_contents", [1, 65535, 65536], struct.pack("<3H", 1, 65535, 0)),
    "UINT32": ("uint_contents", [1, 2, 2**32 - 1], struct.pack("<3I", 1, 2, 2**32 - 1)),
    "UINT64": ("uint64_contents", [1, 2, 2**64 - 1], struct.pack("<3Q", 1, 2, 2**64 - 1)),
    "INT8": ("int_contents", [-1, 127, 128], b"\xff\x7f\x80"),
    "INT16": ("int_contents", [-1, 300, 40000], struct.pack("<hhH", -1, 300, 40000)),
    "INT32": ("int_contents", [-1, 2, -(2**31)], struct.pack("<3i", -1, 2, -(2**31))),
    "INT64": ("int64_contents", [-1, 2, -(2**63)], struct.pack("<3q", -1, 2, -(2**63))),
    "FP32": (
        "fp32_contents",
        [1.5, -0.0, float("inf")],
        struct.pack("<3f", 1.5, -0.0, float("inf")),
    ),
    "FP64": ("fp64_contents", [1.5, -0.0, 1e300], struct.pack("<3d", 1.5, -0.0, 1e300)),
    "BYTES": ("bytes_contents", [b"a", b"", b"\xff\0b"], b"\1\0\0\0a\0\0\0\0\3\0\0\0\xff\0b"),
}
RAW_ONLY = ["FP16", "BF16"]

PLACES = {
    "BOOL": "bool_contents",
    "INT": "int_contents",
    "INT64": "int64_contents",
    "UINT": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}

TWO = struct.pack("<2f", 1, 2)
FOUR = struct.pack("<4f", 1, 2, 3, 4)

CASES = {}


def case(name, request):
    assert name not in CASES, name
    CASES[name] = request


def tensor(name, datatype, shape, **contents):
    one = pb.ModelInferRequest.InferInputTensor(name=name, datatype=datatype, shape=shape)
    for place, values in contents.items():
        getattr(one.contents, place).extend(values)
    return one


def empty_contents(one):
    one.contents.SetInParent()
    return one


def infer(model, inputs, raw=(), outputs=(), parameters=None, version="", id=""):
    request = pb.ModelInferRequest(model_name=model, model_version=version, id=id)
    request.inputs.extend(inputs)
    request.raw_input_contents.extend(raw)
    for name in outputs:
        request.outputs.add(name=name)
    for name, (kind, value) in (parameters or {}).items():
        setattr(request.parameters[name], kind, value)
        if kind == "none":
            request.parameters[name].SetInParent()
    return request


def given(shape=(2,), raw=(TWO,), datatype="FP32", name="INPUT0", **more):
    return infer("identity", [tensor(name, datatype, shape)], raw, **more)


def tensor_parameter(request, name, kind, value, of="inputs"):
    setattr(getattr(request, of)[0].parameters[name], kind, value)
    return request


# ---- What is right ----

case("raw", given())
case("contents", infer("identity", [tensor("INPUT0", "FP32", [2], fp32_contents=[1, 2])]))
case("an id", given(id="4711"))
case("version 1", given(version="1"))
case("a requested output", given(outputs=["OUTPUT0"]))
case("no elements", given(shape=[0], raw=[b""]))
case("no elements in contents", infer("identity", [empty_contents(tensor("INPUT0", "FP32", [0]))]))
case("surplus raw contents", given(raw=[TWO, FOUR, b""]))
case(
    "two inputs",
    infer(
        "add_sub",
        [tensor("INPUT1", "FP32", [4]), tensor("INPUT0", "FP32", [4])],
        [FOUR, struct.pack("<4f", 1, 1, 1, 1)],
    ),
)
case(
    "two inputs, one output",
    infer(
        "add_sub",
        [tensor("INPUT0", "FP32", [4]), tensor("INPUT1", "FP32", [4])],
        [FOUR, FOUR],
        outputs=["OUTPUT1"],
    ),
)
case(
    "a batch",
    infer("batched", [tensor("INPUT0", "INT32", [2, 2])], [struct.pack("<4i", 1, 2, 3, 4)]),
)
case("an optional input left out", infer("optional", [tensor("A", "INT32", [1], int_contents=[7])]))
case("strings", infer("strings", [tensor("INPUT0", "BYTES", [2], bytes_contents=[b"a", b"bc"])]))
for datatype, (place, values, raw) in DATATYPES.items():
    case(
        f"{datatype} contents",
        infer(datatype.lower(), [tensor("INPUT0", datatype, [3], **{place: values})]),
    )
    case(f"{datatype} raw", infer(datatype.lower(), [tensor("INPUT0", datatype, [3])], [raw]))
for datatype in RAW_ONLY:
    case(
        f"{datatype} raw",
        infer(datatype.lower(), [tensor("INPUT0", datatype, [2])], [b"\0\x3c\0\x40"]),
    )
case(
    "custom parameters",
    given(
        parameters={
            "a": ("string_param", "x"),
            "b": ("int64_param", -3),
            "c": ("bool_param", True),
            "d": ("double_param", 0.5),
        }
    ),
)
case(
    "a sequence without a sequence batcher",
    given(
        parameters={
            "sequence_id": ("int64_param", 3),
            "sequence_start": ("bool_param", True),
            "sequence_end": ("bool_param", True),
        }
    ),
)
case("a sequence id in words", given(parameters={"sequence_id": ("string_param", "abc")}))
case("a priority", given(parameters={"priority": ("int64_param", 1)}))
case("an unsigned priority", given(parameters={"priority": ("uint64_param", 1)}))
case("a timeout", given(parameters={"timeout": ("int64_param", 10_000_000)}))
case(
    "an empty final response wanted",
    given(parameters={"triton_enable_empty_final_response": ("bool_param", True)}),
)
case("an unknown field", given().SerializeToString() + b"\xfa\x01\x03abc")
case("raw contents first", given().SerializeToString()[-10:] + given().SerializeToString()[:-10])

case(
    "one class",
    tensor_parameter(given(outputs=["OUTPUT0"]), "classification", "int64_param", 1, "outputs"),
)
case(
    "more classes than elements",
    tensor_parameter(given(outputs=["OUTPUT0"]), "classification", "int64_param", 5, "outputs"),
)

# ---- Models and versions ----

case("no model name", infer("", [tensor("INPUT0", "FP32", [2])], [TWO]))
case("an unknown model", infer("nobody", [tensor("INPUT0", "FP32", [2])], [TWO]))
case("an unknown version", given(version="7"))
case("a version in words", given(version="one"))
case("a negative version", given(version="-1"))
case("version 0", given(version="0"))
case("a version with a blank", given(version="1 "))
case("a version beyond 64 bits", given(version="99999999999999999999"))
case("an empty message", b"")
case("no message at all", b"\xff\xff\xff")
case("a field cut short", given().SerializeToString()[:-1])
case("a name that is not UTF-8", b"\x0a\x01\xff")

# ---- Inputs ----

case("no inputs", infer("identity", [], [TWO]))
case("an unknown input", given(name="WRONG"))
case("an input without name", given(name=""))
case("an input twice", infer("add_sub", [tensor("INPUT0", "FP32", [4])] * 2, [FOUR, FOUR]))
case("a missing input", infer("add_sub", [tensor("INPUT0", "FP32", [4])], [FOUR]))
case("an unknown datatype", given(datatype="FLOAT"))
case("no datatype", given(datatype=""))
case("another datatype", given(datatype="INT32"))
case(
    "another shape",
    infer("add_sub", [tensor("INPUT0", "FP32", [2]), tensor("INPUT1", "FP32", [4])], [TWO, FOUR]),
)
case("no shape", given(shape=[]))
case("a negative extent", given(shape=[-2]))
case("too many dimensions", given(shape=[1, 2]))
case("no raw contents", given(raw=[]))
case(
    "too few raw contents",
    infer("add_sub", [tensor("INPUT0", "FP32", [4]), tensor("INPUT1", "FP32", [4])], [FOUR]),
)
case("too little raw data", given(raw=[TWO[:-1]]))
case("too much raw data", given(raw=[TWO + b"\0"]))
case("empty raw data", given(raw=[b""]))
case(
    "contents and raw contents",
    infer("identity", [tensor("INPUT0", "FP32", [2], fp32_contents=[1, 2])], [TWO]),
)
case(
    "contents beside raw contents of another",
    infer(
        "add_sub",
        [tensor("INPUT0", "FP32", [4], fp32_contents=[1, 2, 3, 4]), tensor("INPUT1", "FP32", [4])],
        [FOUR],
    ),
)
case("too few contents", infer("identity", [tensor("INPUT0", "FP32", [2], fp32_contents=[1])]))
case(
    "too many contents", infer("identity", [tensor("INPUT0", "FP32", [2], fp32_contents=[1, 2, 3])])
)
case("empty contents", infer("identity", [empty_contents(tensor("INPUT0", "FP32", [2]))]))
for datatype in ["FP32", "INT8", "UINT16", "BYTES", "FP16", "INT64", "BOOL"]:
    for kind, place in PLACES.items():
        if place != DATATYPES.get(datatype, ("",))[0]:
            value = b"a" if kind == "BYTES" else True if kind == "BOOL" else 1
            case(
                f"{kind} contents for {datatype}",
                infer(datatype.lower(), [tensor("INPUT0", datatype, [1], **{place: [value]})]),
            )
case(
    "two contents",
    infer("identity", [tensor("INPUT0", "FP32", [2], fp32_contents=[1, 2], fp64_contents=[1, 2])]),
)
case(
    "two wrong contents",
    infer("identity", [tensor("INPUT0", "FP32", [2], int_contents=[1, 2], fp64_contents=[1, 2])]),
)
case(
    "contents for an unknown datatype",
    infer("identity", [tensor("INPUT0", "FLOAT", [2], fp32_contents=[1, 2])]),
)
case(
    "too few strings",
    infer("strings", [tensor("INPUT0", "BYTES", [3], bytes_contents=[b"a", b"bc"])]),
)
case(
    "too many strings",
    infer("strings", [tensor("INPUT0", "BYTES", [1], bytes_contents=[b"a", b"bc"])]),
)
case("a string prefix cut short", infer("strings", [tensor("INPUT0", "BYTES", [1])], [b"\1\0\0"]))
case("a string cut short", infer("strings", [tensor("INPUT0", "BYTES", [1])], [b"\5\0\0\0abc"]))
case("a batch too large", infer("batched", [tensor("INPUT0", "INT32", [9, 2])], [bytes(72)]))
case("a batch of none", infer("batched", [tensor("INPUT0", "INT32", [0, 2])], [b""]))
case("an unknown output", given(outputs=["WRONG"]))
case("an output twice", given(outputs=["OUTPUT0", "OUTPUT0"]))

# ---- Parameters ----

for name, kinds in {
    "sequence_id": ["bool_param", "double_param", "uint64_param", "none"],
    "sequence_start": ["int64_param", "string_param", "none"],
    "sequence_end": ["int64_param", "string_param"],
    "priority": ["bool_param", "string_param", "double_param"],
    "timeout": ["bool_param", "string_param", "uint64_param"],
    "triton_enable_empty_final_response": ["int64_param", "string_param"],
    "triton_other": ["bool_param", "string_param"],
    "mine": ["uint64_param", "none"],
}.items():
    for kind in kinds:
        value = {
            "bool_param": True,
            "string_param": "x",
            "double_param": 1.0,
            "int64_param": 1,
            "uint64_param": 1,
            "none": None,
        }[kind]
        if kind == "none":
            request = given()
            request.parameters[name].SetInParent()
        else:
            request = given(parameters={name: (kind, value)})
        case(f"{name} as {kind}", request)
case("a negative priority", given(parameters={"priority": ("int64_param", -1)}))
case("a negative timeout", given(parameters={"timeout": ("int64_param", -1)}))
case("a negative sequence id", given(parameters={"sequence_id": ("int64_param", -1)}))
case("a long sequence id", given(parameters={"sequence_id": ("string_param", "x" * 129)}))
REGION = "shared_memory_region"
case(
    "an unknown region",
    tensor_parameter(
        tensor_parameter(given(raw=[]), REGION, "string_param", "r"),
        "shared_memory_byte_size",
        "int64_param",
        8,
    ),
)
case("a region without a size", tensor_parameter(given(raw=[]), REGION, "string_param", "r"))
case("a region that is a number", tensor_parameter(given(raw=[]), REGION, "int64_param", 1))
case(
    "a region's size in words",
    tensor_parameter(
        tensor_parameter(given(raw=[]), REGION, "string_param", "r"),
        "shared_memory_byte_size",
        "string_param",
        "8",
    ),
)
case(
    "a region's size alone", tensor_parameter(given(), "shared_memory_byte_size", "int64_param", 8)
)
case(
    "a region's offset in words",
    tensor_parameter(
        tensor_parameter(given(raw=[]), REGION, "string_param", "r"),
        "shared_memory_offset",
        "string_param",
        "8",
    ),
)
case(
    "a region and contents",
    tensor_parameter(
        tensor_parameter(
            infer("identity", [tensor("INPUT0", "FP32", [2], fp32_contents=[1, 2])]),
            REGION,
            "string_param",
            "r",
        ),
        "shared_memory_byte_size",
        "int64_param",
        8,
    ),
)
case("an unknown parameter of an input", tensor_parameter(given(), "mine", "int64_param", 1))
case(
    "an unknown region for an output",
    tensor_parameter(
        tensor_parameter(given(outputs=["OUTPUT0"]), REGION, "string_param", "r", "outputs"),
        "shared_memory_byte_size",
        "int64_param",
        8,
        "outputs",
    ),
)
case(
    "classes in words",
    tensor_parameter(given(outputs=["OUTPUT0"]), "classification", "string_param", "1", "outputs"),
)
case(
    "no classes",
    tensor_parameter(given(outputs=["OUTPUT0"]), "classification", "int64_param", 0, "outputs"),
)
case(
    "classes below zero",
    tensor_parameter(given(outputs=["OUTPUT0"]), "classification", "int64_param", -1, "outputs"),
)
case(
    "an unknown parameter of an output",
    tensor_parameter(given(outputs=["OUTPUT0"]), "mine", "int64_param", 1, "outputs"),
)
