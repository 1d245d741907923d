"""The module that models import, name by name: what each takes, gives and refuses.

The model runs what the test sends it, so that one table serves both servers.
"""

import json
import textwrap

import pytest

from harness.infer import body, outputs, post, tensor

# What programs begin with: short names, and `tt`, which gives what a call gives (by its type when
# it is no plain value), or the type and the beginning of the message of what it raises.
PRELUDE = """
import c_python_backend_utils as c
T = pb_utils.Tensor
R = pb_utils.InferenceResponse
Q = pb_utils.InferenceRequest
E = pb_utils.TritonError
X = np.ones(2, dtype=np.float32)
A = T("INPUT0", X)

def q(**more):
    defaults = {"model_name": "identity", "inputs": [A], "requested_output_names": ["OUTPUT0"]}
    return Q(**{**defaults, **more})

def t(function, *args, **more):
    try:
        return function(*args, **more)
    except Exception as error:
        return [type(error).__name__, str(error).split(". The following")[0]]

def tt(*args, **more):
    x = t(*args, **more)
    return x if isinstance(x, (list, str, int, float, type(None), dict)) else type(x).__name__
"""


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start(["calls", "identity", "repeat"])


def run(server, program):
    text = PRELUDE + textwrap.dedent(program)
    answer = post(server, "calls", body(tensor("PROGRAM", "BYTES", [1], [text])))
    return json.loads(outputs(answer)["RESULT"][0])


# What a program returns, and what it is expected to be: on both servers.
PROGRAMS = {
    "constants": (
        """
        return [
            pb_utils.TRITONSERVER_REQUEST_FLAG_SEQUENCE_START,
            pb_utils.TRITONSERVER_REQUEST_FLAG_SEQUENCE_END,
            pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL,
            pb_utils.TRITONSERVER_REQUEST_RELEASE_ALL,
            pb_utils.TRITONSERVER_REQUEST_RELEASE_RESCHEDULE,
        ]
        """,
        [1, 2, 1, 1, 2],
    ),
    "types by name": (
        """
        return {k: v.__name__ for k, v in pb_utils.TRITON_STRING_TO_NUMPY.items()}
        """,
        {
            "TYPE_BOOL": "bool",
            "TYPE_FP16": "float16",
            "TYPE_FP32": "float32",
            "TYPE_FP64": "float64",
            "TYPE_INT16": "int16",
            "TYPE_INT32": "int32",
            "TYPE_INT64": "int64",
            "TYPE_INT8": "int8",
            "TYPE_STRING": "object_",
            "TYPE_UINT16": "uint16",
            "TYPE_UINT32": "uint32",
            "TYPE_UINT64": "uint64",
            "TYPE_UINT8": "uint8",
        },
    ),
    "triton_to_numpy_type": (
        """
        kinds = [pb_utils.triton_to_numpy_type(i) for i in range(16)]
        return [None if kind is None else np.dtype(kind).str for kind in kinds]
        """,
        [
            None,
            "|b1",
            "|u1",
            "<u2",
            "<u4",
            "<u8",
            "|i1",
            "<i2",
            "<i4",
            "<i8",
            "<f2",
            "<f4",
            "<f8",
            "|O",
            None,
            None,
        ],
    ),
    "numpy_to_triton_type": (
        """
        kinds = [
            np.bool_, np.uint8, np.uint16, np.uint32, np.uint64, np.int8, np.int16, np.int32,
            np.int64, np.float16, np.float32, np.float64, np.object_, np.bytes_, np.str_,
            np.complex64, bool, float, int, object, np.dtype('float32'), None,
        ]
        return [pb_utils.numpy_to_triton_type(kind) for kind in kinds]
        """,
        [
            1,
            2,
            3,
            4,
            5,
            6,
            7,
            8,
            9,
            10,
            11,
            12,
            13,
            13,
            None,
            None,
            None,
            None,
            None,
            None,
            11,
            None,
        ],
    ),
    "triton_string_to_numpy": (
        """
        return [
            pb_utils.triton_string_to_numpy('TYPE_STRING').__name__,
            tt(pb_utils.triton_string_to_numpy, 'TYPE_BF16'),
            tt(pb_utils.triton_string_to_numpy, 'x'),
        ]
        """,
        ["object_", ["KeyError", "'TYPE_BF16'"], ["KeyError", "'x'"]],
    ),
    "serialize": (
        r"""
        def encode(*items, dtype=object):
            encoded = pb_utils.serialize_byte_tensor(np.array(items, dtype=dtype))
            return encoded.decode() if isinstance(encoded, bytes) else encoded
        return [
            encode("a", b"bc", 1, None, 2.5), encode(b"a", b"b\0", dtype="S2"), encode(),
            encode(1.5, dtype=np.float32), encode(["é"], ["x"]),
        ]
        """,
        [
            "\1\0\0\0a\2\0\0\0bc\1\0\0\0" + "1\4\0\0\0None\3\0\0\0" + "2.5",
            "\1\0\0\0a\1\0\0\0b",
            [],
            None,
            "\2\0\0\0é\1\0\0\0x",
        ],
    ),
    "deserialize": (
        r"""
        decode = pb_utils.deserialize_bytes_tensor
        array = decode(b"\1\0\0\0a\2\0\0\0bc")
        return [
            array.dtype.name, [item.decode() for item in array], decode(b"").shape,
            tt(decode, b"\1\0\0")[0], tt(decode, b"\5\0\0\0a")[0],
        ]
        """,
        ["object", ["a", "bc"], [0], "error", "error"],
    ),
    "by name": (
        """
        r = q(inputs=[A, T('B', X)])
        s = R([T('O', X)])
        cfg = {'input': [{'name': 'a'}], 'output': [{'name': 'b'}]}
        return [
            pb_utils.get_input_tensor_by_name(r, 'B').name(),
            pb_utils.get_input_tensor_by_name(inference_request=r, name='C'),
            pb_utils.get_output_tensor_by_name(s, 'O').name(),
            pb_utils.get_output_tensor_by_name(inference_response=s, name='C'),
            pb_utils.get_input_config_by_name(cfg, 'a'),
            pb_utils.get_input_config_by_name(model_config={}, name='a'),
            pb_utils.get_output_config_by_name(cfg, 'b'),
            pb_utils.get_output_config_by_name(cfg, 'a'),
            pb_utils.get_output_config_by_name({}, 'a'),
        ]
        """,
        ["B", None, "O", None, {"name": "a"}, None, {"name": "b"}, None, None],
    ),
    "decoupled policy": (
        """
        u = pb_utils.using_decoupled_model_transaction_policy
        return [
            u({}), u({'model_transaction_policy': {'decoupled': True}}),
            u({'model_transaction_policy': {}}) if False else None,
            u(model_config={'model_transaction_policy': {'decoupled': False}}),
        ]
        """,
        [False, True, None, False],
    ),
    "model dir": (
        """
        import os
        return [
            os.path.basename(pb_utils.get_model_dir()),
            os.path.basename(os.path.dirname(pb_utils.get_model_dir())),
        ]
        """,
        ["1", "calls"],
    ),
    "tensor ctor": (
        """
        return [
            tt(T, '', X), tt(T, '', None), tt(T, 'x', None), tt(T, 'x', [1]), tt(T, 'x', 1),
            tt(T), tt(T, 'x'), tt(T, 3, X), tt(T, b'bytes', X), tt(T, np.str_('s'), X),
            tt(T, np.bytes_(b's'), X), tt(T, 'x', np.ones(1, dtype='>f4')),
            tt(T, 'x', np.ones(1, dtype=complex)),
            tt(T, 'x', np.array([1], dtype='datetime64[s]')), tt(T, 'x', np.float32(1)),
            tt(T, 'x', np.array(1.0)), tt(T, 'x', np.ones(1, dtype=np.longdouble)),
            tt(T, bytearray(b'q'), X),
        ]
        """,
        [
            ["TritonModelException", "Tensor name cannot be an empty string."],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            "Tensor",
            "Tensor",
            "Tensor",
            ["TritonModelException", "NumPy dtype is not supported."],
            ["TritonModelException", "NumPy dtype is not supported."],
            ["TritonModelException", "NumPy dtype is not supported."],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            "Tensor",
            ["TritonModelException", "NumPy dtype is not supported."],
            "Tensor",
        ],
    ),
    "tensor names": (
        """
        return [T(b'bytes', X).name(), T('é', X).name()]
        """,
        ["bytes", "é"],
    ),
    "tensor dtypes": (
        """
        out = {}
        for d in '? u1 u2 u4 u8 i1 i2 i4 i8 f2 f4 f8'.split():
            a = np.zeros((2, 3), dtype=d)
            x = T('x', a)
            array = x.as_numpy()
            same = array is x.as_numpy()
            out[d] = [same, array.dtype.str, x.shape(), x.is_cpu(), list(x.__dlpack_device__())]
        return out
        """,
        {
            "?": [True, "|b1", [2, 3], True, [1, 0]],
            "f2": [True, "<f2", [2, 3], True, [1, 0]],
            "f4": [True, "<f4", [2, 3], True, [1, 0]],
            "f8": [True, "<f8", [2, 3], True, [1, 0]],
            "i1": [True, "|i1", [2, 3], True, [1, 0]],
            "i2": [True, "<i2", [2, 3], True, [1, 0]],
            "i4": [True, "<i4", [2, 3], True, [1, 0]],
            "i8": [True, "<i8", [2, 3], True, [1, 0]],
            "u1": [True, "|u1", [2, 3], True, [1, 0]],
            "u2": [True, "<u2", [2, 3], True, [1, 0]],
            "u4": [True, "<u4", [2, 3], True, [1, 0]],
            "u8": [True, "<u8", [2, 3], True, [1, 0]],
        },
    ),
    "tensor layouts": (
        """
        a = np.arange(6, dtype=np.int32).reshape(2, 3)
        def r(x):
            y = T('x', x).as_numpy()
            return [y.tolist(), y.flags['C_CONTIGUOUS'], y is x, list(T('x', x).shape())]
        ro = a.copy()
        ro.flags.writeable = False
        return [
            r(a), r(a.T), r(a[:, ::2]), r(np.asfortranarray(a)), r(ro),
            r(np.zeros((1, 0), dtype=np.int32)), r(np.array(3, dtype=np.int32)),
            r(np.broadcast_to(np.int32(3), (2, 2))),
        ]
        """,
        [
            [[[0, 1, 2], [3, 4, 5]], True, True, [2, 3]],
            [[[0, 3], [1, 4], [2, 5]], True, False, [3, 2]],
            [[[0, 2], [3, 5]], True, False, [2, 2]],
            [[[0, 1, 2], [3, 4, 5]], True, False, [2, 3]],
            [[[0, 1, 2], [3, 4, 5]], True, True, [2, 3]],
            [[[]], True, True, [1, 0]],
            [3, True, True, []],
            [[[3, 3], [3, 3]], True, False, [2, 2]],
        ],
    ),
    "tensor keeps": (
        """
        a = np.zeros(2, dtype=np.float32)
        x = T('x', a)
        a[0] = 5
        return x.as_numpy().tolist()
        """,
        [5.0, 0.0],
    ),
    "dlpack": (
        """
        capsule = A.to_dlpack()
        y = T.from_dlpack('y', capsule)
        return [
            type(capsule).__name__, y.name(), y.as_numpy().tolist(),
            np.from_dlpack(A).tolist(),
            np.from_dlpack(T('e', np.zeros((1, 0), dtype=np.int8))).shape,
        ]
        """,
        ["PyCapsule", "y", [1.0, 1.0], [1.0, 1.0], [1, 0]],
    ),
    "dlpack errors": (
        """
        return [
            tt(T.from_dlpack, '', None), tt(T.from_dlpack, 'x', None),
            tt(T.from_dlpack, 'x', 3), tt(T('s', np.array(['a'], dtype=object)).to_dlpack),
        ]
        """,
        [
            ["TritonModelException", "Tensor name cannot be an empty string."],
            [
                "TritonModelException",
                "Provided tensor is not supported. Tensor must be a DLPack capsule         or have "
                "`__dlpack__` and `__dlpack_device__` attributes",
            ],
            [
                "TritonModelException",
                "Provided tensor is not supported. Tensor must be a DLPack capsule         or have "
                "`__dlpack__` and `__dlpack_device__` attributes",
            ],
            ["TritonModelException", "DLPack does not have support for string tensors."],
        ],
    ),
    "dlpack refs": (
        """
        import sys
        x = T('x', X)
        n = sys.getrefcount(x)
        cap = x.to_dlpack()
        m = sys.getrefcount(x)
        del cap
        return [m - n, sys.getrefcount(x) - n]
        """,
        [1, 0],
    ),
    "dlpack stream": (
        """
        return [
            type(A.__dlpack__()).__name__, type(A.__dlpack__(stream=None)).__name__,
            type(A.__dlpack__(None)).__name__,
        ]
        """,
        ["PyCapsule", "PyCapsule", "PyCapsule"],
    ),
    "request ctor": (
        """
        return [
            tt(Q), tt(Q, inputs=[A]), tt(q, model_name=None), tt(q, inputs=None),
            tt(q, requested_output_names=None), tt(q, request_id=None),
            tt(q, correlation_id=None), tt(q, flags=None), tt(q, timeout=None),
            tt(q, model_version=None), tt(q, parameters=None), tt(q, inputs=[None]),
            tt(q, requested_output_names=[None]), tt(q, requested_output_names=['']),
            tt(q, requested_output_names=[]), tt(q, inputs=[]), tt(q, inputs=(A,)),
            tt(q, inputs='ab'), tt(q, requested_output_names='ab'),
            tt(q, requested_output_names=('a',)), tt(q, inputs=[3]), tt(q, flags=-1),
            tt(q, timeout=-1), tt(q, timeout=1.5), tt(q, model_version='1'),
            tt(q, flags=np.int32(1)), tt(q, model_name=b'identity'), tt(q, request_id=b'id'),
            tt(q, unknown=1), tt(q, model_name=''),
        ]
        """,
        [
            ["TypeError", "__init__(): incompatible constructor arguments"],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            "InferenceRequest",
            [
                "TritonModelException",
                "Input tensor for request with id '' and model name 'identity' should not be "
                "empty.",
            ],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            [
                "TritonModelException",
                "Requested output name for request with id '' and model name 'identity' should not "
                "be empty.",
            ],
            "InferenceRequest",
            "InferenceRequest",
            "InferenceRequest",
            ["TypeError", "__init__(): incompatible constructor arguments"],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            "InferenceRequest",
            ["TypeError", "__init__(): incompatible constructor arguments"],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            "InferenceRequest",
            "InferenceRequest",
            "InferenceRequest",
            ["TypeError", "__init__(): incompatible constructor arguments"],
            "InferenceRequest",
        ],
    ),
    "request positional": (
        """
        r = Q('id', 7, [A], ['OUTPUT0'], 'identity', 1, 3, 1000)
        return [
            r.request_id(), r.correlation_id(), len(r.inputs()),
            sorted(r.requested_output_names()), r.flags(), r.timeout(), r.parameters(),
        ]
        """,
        ["id", 7, 1, ["OUTPUT0"], 3, 1000, "{}"],
    ),
    "request defaults": (
        """
        r = q()
        return [
            r.request_id(), r.correlation_id(), r.flags(), r.timeout(), r.parameters(),
            r.is_cancelled() if False else None, type(r.requested_output_names()).__name__,
            type(r.inputs()).__name__, r.inputs()[0] is A,
        ]
        """,
        ["", 0, 0, 0, "{}", None, "set", "list", True],
    ),
    "correlation ids": (
        """
        def read(value):
            return tt(lambda: q(correlation_id=value).correlation_id())
        some = [0, 5, True, "s", "", 2**64 - 1, 1.5, b"b", None]
        return [*map(read, some), read(2**64)[0], read(-1)[0], read(np.int64(3))]
        """,
        [
            0,
            5,
            1,
            "s",
            "",
            18446744073709551615,
            ["TritonModelException", "Correlation ID must be integer or string"],
            ["TritonModelException", "Correlation ID must be integer or string"],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            "RuntimeError",
            "RuntimeError",
            ["TritonModelException", "Correlation ID must be integer or string"],
        ],
    ),
    "parameters": (
        """
        def p(v):
            return tt(lambda: json.loads(q(parameters=v).parameters()))
        some = [
            {}, {"a": 1}, {"a": True, "b": "x", "c": -5}, {"a": 1.5}, {1: "a"}, {"a": None},
            {"a": {}}, {"a": []}, {b"a": 1}, {"é": "ü"}, {"big": 2**62},
        ]
        none = [tt(q, parameters=value)[1].split(",")[-1] for value in ([], "x")]
        return [p(value) for value in some] + none
        """,
        [
            {},
            {"a": 1},
            {"a": True, "b": "x", "c": -5},
            [
                "TritonModelException",
                "Expect parameters values to have type bool/int/str, found type <class 'float'>",
            ],
            [
                "TritonModelException",
                "Expect parameters keys to have type str, found type <class 'int'>",
            ],
            [
                "TritonModelException",
                "Expect parameters values to have type bool/int/str, found type <class 'NoneType'>",
            ],
            [
                "TritonModelException",
                "Expect parameters values to have type bool/int/str, found type <class 'dict'>",
            ],
            [
                "TritonModelException",
                "Expect parameters values to have type bool/int/str, found type <class 'list'>",
            ],
            [
                "TritonModelException",
                "Expect parameters keys to have type str, found type <class 'bytes'>",
            ],
            {"é": "ü"},
            {"big": 4611686018427387904},
            " got <class 'list'>",
            " got <class 'str'>",
        ],
    ),
    "parameters text": (
        """
        return [
            q(parameters={'a': 1, 'b': True, 'c': 'x'}).parameters(),
            q(parameters={}).parameters(),
        ]
        """,
        ['{"a": 1, "b": true, "c": "x"}', "{}"],
    ),
    "flags": (
        """
        r = q(flags=1)
        r.set_flags(3)
        return [
            r.flags(), tt(r.set_flags, -1), tt(r.set_flags, 'a'), tt(r.set_flags, None),
            tt(r.set_flags), r.flags(),
        ]
        """,
        [
            3,
            ["TypeError", "set_flags(): incompatible function arguments"],
            ["TypeError", "set_flags(): incompatible function arguments"],
            ["TypeError", "set_flags(): incompatible function arguments"],
            ["TypeError", "set_flags(): incompatible function arguments"],
            3,
        ],
    ),
    "requested duplicates": (
        """
        return [
            sorted(q(requested_output_names=['a', 'b', 'a']).requested_output_names()),
            sorted(q(requested_output_names=[b'a']).requested_output_names()),
        ]
        """,
        [["a", "b"], ["a"]],
    ),
    "own sender": (
        """
        return [
            tt(q().get_response_sender().send), tt(q().get_response_sender().send, R([A])),
            tt(q().get_response_sender().send, R([A]), 1),
            tt(q().get_response_sender().send, None, 1),
        ]
        """,
        [
            [
                "TritonModelException",
                "Inference Response object must be provided when the response flags is set to "
                "zero.",
            ],
            [
                "TritonModelException",
                "Unable to send response. Response sender has no reference to the decoupled "
                "state of the model.",
            ],
            [
                "TritonModelException",
                "Unable to send response. Response sender has no reference to the decoupled "
                "state of the model.",
            ],
            [
                "TritonModelException",
                "Unable to send response. Response sender has no reference to the decoupled "
                "state of the model.",
            ],
        ],
    ),
    "response ctor": (
        """
        return [
            tt(R), tt(R, None), tt(R, [None]), tt(R, [A], None), tt(R, [A], 'e'), tt(R, [3]),
            tt(R, (A,)), tt(R, output_tensors=[A], error=E('x')), tt(R, error=E('x')),
            tt(R, A), tt(R, nothing=1),
        ]
        """,
        [
            "InferenceResponse",
            ["TypeError", "__init__(): incompatible constructor arguments"],
            ["TritonModelException", "Output tensor for inference response should not be empty."],
            "InferenceResponse",
            ["TypeError", "__init__(): incompatible constructor arguments"],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            "InferenceResponse",
            "InferenceResponse",
            "InferenceResponse",
            ["TypeError", "__init__(): incompatible constructor arguments"],
            ["TypeError", "__init__(): incompatible constructor arguments"],
        ],
    ),
    "response": (
        """
        r = R([A], E('x'))
        s = R([A])
        return [
            len(r.output_tensors()), r.has_error(), r.error().message(), s.has_error(),
            s.error(), s.output_tensors()[0] is A,
        ]
        """,
        [1, True, "x", False, None, True],
    ),
    "error": (
        """
        return [
            tt(E), tt(E, None), tt(E, 'm', None), tt(E, 'm', 3), tt(E, 3), E('m').message(),
            E(b'm').message(), str(E('m').code()), str(E('m', E.NOT_FOUND).code()),
            int(E.CANCELLED), E('m', code=E.UNSUPPORTED).code() == E.UNSUPPORTED,
            [
                int(code)
                for code in (
                    E.UNKNOWN, E.INTERNAL, E.NOT_FOUND, E.INVALID_ARG, E.UNAVAILABLE,
                    E.UNSUPPORTED, E.ALREADY_EXISTS, E.CANCELLED,
                )
            ],
            E(message='a', code=E.UNKNOWN).message(),
        ]
        """,
        [
            ["TypeError", "__init__(): incompatible constructor arguments"],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            ["TypeError", "__init__(): incompatible constructor arguments"],
            "m",
            "m",
            "__ErrorCode.INTERNAL",
            "__ErrorCode.NOT_FOUND",
            7,
            True,
            [0, 1, 2, 3, 4, 5, 6, 7],
            "a",
        ],
    ),
    "model exception": (
        """
        X_ = pb_utils.TritonModelException
        return [
            X_.__mro__[1].__name__, X_.__module__, str(X_('a')), str(X_('a', 1)), str(X_()),
            issubclass(X_, Exception),
        ]
        """,
        ["Exception", "c_python_backend_utils", "a", "('a', 1)", "", True],
    ),
    "logger": (
        """
        L = pb_utils.Logger
        return [
            tt(L.log, 'x'), tt(L.log, 'x', L.INFO), tt(L.log, message='x', level=L.ERROR),
            tt(L.log, 'x', 0), tt(L.log, 'x', None), tt(L.log, None), tt(L.log),
            tt(L.log_info, 3), tt(L.log_info, None), tt(L.log_warn, 'w'),
            tt(L.log_error, b'e'), tt(L.log_verbose, 'v'), tt(L.log_info, message='x'),
            L.INFO == L.LogLevel.INFO, sorted((n for n in dir(L) if n[0] != '_')),
            int(L.VERBOSE) if hasattr(L.VERBOSE, '__int__') else 3,
        ]
        """,
        [
            None,
            None,
            None,
            ["TypeError", "log(): incompatible function arguments"],
            ["TypeError", "log(): incompatible function arguments"],
            ["TypeError", "log(): incompatible function arguments"],
            ["TypeError", "log(): incompatible function arguments"],
            ["TypeError", "log_info(): incompatible function arguments"],
            ["TypeError", "log_info(): incompatible function arguments"],
            None,
            None,
            None,
            None,
            True,
            [
                "ERROR",
                "INFO",
                "LogLevel",
                "VERBOSE",
                "WARNING",
                "log",
                "log_error",
                "log_info",
                "log_verbose",
                "log_warn",
            ],
            3,
        ],
    ),
    "bls": (
        """
        r = q(request_id='rid', parameters={'a': 1}).exec()
        return [
            values(r), r.has_error(), r.error(), len(r.output_tensors()),
            r.output_tensors()[0].name(), r.output_tensors()[0].is_cpu(),
        ]
        """,
        [{"OUTPUT0": [1.0, 1.0]}, False, None, 1, "OUTPUT0", True],
    ),
    "bls error": (
        """
        r = q(model_name='nobody').exec()
        return [
            r.has_error(), r.error().message(), str(r.error().code()), r.output_tensors(),
        ]
        """,
        [
            True,
            "Model nobody - Error when running inference: Failed for execute the inference "
            "request. Model 'nobody' is not ready.",
            "__ErrorCode.INTERNAL",
            [],
        ],
    ),
    "bls timeout": (
        """
        r = q(timeout=10 ** 9).exec()
        return values(r)
        """,
        {"OUTPUT0": [1.0, 1.0]},
    ),
    "bls version": (
        """
        return [values(q(model_version=1).exec()), values(q(model_version=2).exec())]
        """,
        [
            {"OUTPUT0": [1.0, 1.0]},
            "Model identity - Error when running inference: Failed for execute the inference "
            "request. Model 'identity' is not ready.",
        ],
    ),
    "bls no outputs named": (
        """
        return [values(q(requested_output_names=[]).exec())]
        """,
        [{"OUTPUT0": [1.0, 1.0]}],
    ),
    "bls bytes name": (
        """
        return [
            values(q(model_name=np.array([b'identity'])[0]).exec()),
            values(q(model_name=np.array(['identity'], dtype=object)[0]).exec()),
        ]
        """,
        [{"OUTPUT0": [1.0, 1.0]}, {"OUTPUT0": [1.0, 1.0]}],
    ),
    "bls wrong type": (
        """
        return values(q(inputs=[T('INPUT0', np.ones(2))]).exec())
        """,
        (
            "Model identity - Error when running inference: [request id: <id_unknown>] inference "
            "input 'INPUT0' data-type is 'FP64', but model 'identity' expects 'FP32'"
        ),
    ),
    "bls wrong input": (
        """
        return values(q(inputs=[T('X', X)]).exec())
        """,
        (
            "Model identity - Error when running inference: unexpected inference input 'X' for "
            "model 'identity'"
        ),
    ),
    "bls args": (
        """
        return [
            tt(lambda: q().exec(True)), tt(lambda: q().exec(decoupled=False).has_error()),
            tt(lambda: q().exec(1, 2)), tt(lambda: q().exec(x=1)), tt(lambda: q().exec('a')),
            tt(lambda: q().exec(None)),
        ]
        """,
        [
            "ResponseIterator",
            False,
            ["TypeError", "exec(): incompatible function arguments"],
            ["TypeError", "exec(): incompatible function arguments"],
            ["TypeError", "exec(): incompatible function arguments"],
            ["TypeError", "exec(): incompatible function arguments"],
        ],
    ),
    "iterator": (
        """
        it = q().exec(decoupled=True)
        return [
            type(it).__name__, iter(it) is it, [len(r.output_tensors()) for r in it],
            [len(r.output_tensors()) for r in it], tt(next, it),
        ]
        """,
        [
            "ResponseIterator",
            True,
            [1],
            [1],
            ["StopIteration", "Iteration is done for the responses."],
        ],
    ),
    "iterator n+1": (
        """
        r = ask('repeat', np.array([1, 2], dtype=np.int32), outputs=['VALUE'])
        it = r.exec(decoupled=True)
        a = [[x.has_error(), x.error(), len(x.output_tensors())] for x in it]
        return a
        """,
        [[False, None, 1], [False, None, 1], [False, None, 0]],
    ),
    "iterator drop": (
        """
        r = ask('repeat', np.arange(10, dtype=np.int32), outputs=['VALUE'])
        it = r.exec(decoupled=True)
        next(it)
        del it
        return values(q().exec())
        """,
        {"OUTPUT0": [1.0, 1.0]},
    ),
    "iterator break": (
        """
        r = ask('repeat', np.arange(4, dtype=np.int32), outputs=['VALUE'])
        it = r.exec(decoupled=True)
        out = []
        for x in it:
            out.append(x.output_tensors()[0].as_numpy().tolist())
            if len(out) == 2:
                break
        rest = []
        for x in it:
            rest.append(len(x.output_tensors()))
        return [out, rest]
        """,
        [[[0], [1]], [1, 1, 0]],
    ),
    "async args": (
        """
        async def go():
            return values(await q().async_exec())
        return [
            await go(), values(await q().async_exec(decoupled=False)),
            type(await q().async_exec(True)).__name__, asyncio.isfuture(q().async_exec()),
        ]
        """,
        [{"OUTPUT0": [1.0, 1.0]}, {"OUTPUT0": [1.0, 1.0]}, "ResponseIterator", True],
    ),
    "uninitialised": (
        """
        class Bare(T):

            def __init__(self):
                pass
        return tt(lambda: Bare().name())[0]
        """,
        "TypeError",
    ),
    "attributes": (
        """
        x = T('x', X)
        def seta():
            x.foo = 1
        return [
            tt(seta), tt(lambda: hash(x) is not None), tt(lambda: x == x),
            tt(lambda: R([x]) == R([x])),
        ]
        """,
        [
            ["AttributeError", "'c_python_backend_utils.Tensor' object has no attribute 'foo'"],
            True,
            True,
            False,
        ],
    ),
}

# What NVIDIA's module has not in this version, or dies of.
OWN_PROGRAMS = {
    "parameters of responses": (
        """
        return [
            R(parameters={"a": 1}).parameters(), R().parameters(), q().exec().parameters(),
            q(model_name="nobody").exec().parameters(),
            tt(R, [], None, {"a": 1.5}), tt(R, [], None, {1: 1}), tt(R, [], None, []),
        ]
        """,
        [
            '{"a": 1}',
            "{}",
            "{}",
            "",
            [
                "TritonModelException",
                "Expect parameters values to have type bool/int/str, found type <class 'float'>",
            ],
            [
                "TritonModelException",
                "Expect parameters keys to have type str, found type <class 'int'>",
            ],
            ["TritonModelException", "Expect <class 'dict'>, got <class 'list'>"],
        ],
    ),
    "an iterator that is cancelled": (
        """
        responses = ask("repeat", np.arange(9, dtype=np.int32), outputs=["VALUE"]).exec(
            decoupled=True
        )
        responses.cancel()
        return values(q().exec())
        """,
        {"OUTPUT0": [1.0, 1.0]},
    ),
    "arrays through DLPack": (
        """
        def shape(array):
            return T.from_dlpack("x", array).shape()
        return [
            T.from_dlpack("x", X).as_numpy().tolist(), shape(np.zeros((0, 2), dtype=np.int8)),
            shape(np.array(3.0)), shape(np.ones((3, 1)).T), tt(shape, np.ones((2, 3)).T),
            tt(shape, np.ones(1, dtype=complex)), tt(T.from_dlpack, "x", A.__dlpack__()),
            T.from_dlpack("x", np.ones(1, dtype=bool)).as_numpy().tolist(),
        ]
        """,
        [
            [1.0, 1.0],
            [0, 2],
            [],
            [1, 3],
            [
                "TritonModelException",
                "DLPack tensor is not contiguous. Only contiguous DLPack tensors that are stored "
                "in C-Order are supported.",
            ],
            ["TritonModelException", "Dtype is invalid."],
            "Tensor",
            [True],
        ],
    ),
    "the newer form of DLPack": (
        """
        capsule = A.__dlpack__(max_version=(1, 0))
        return [repr(capsule).split('"')[1], T.from_dlpack("x", capsule).as_numpy().tolist()]
        """,
        ["dltensor_versioned", [1.0, 1.0]],
    ),
    "arrays of str": (
        """
        return T("x", np.array(["a", "é"])).as_numpy().tolist()
        """,
        ["a", "é"],
    ),
    "the number of a datatype": (
        """
        return [A.triton_dtype(), T("x", np.array(["a"], dtype=object)).triton_dtype()]
        """,
        [11, 13],
    ),
    "subclasses": (
        """
        class Own(T):
            pass
        class Bare(T):
            def __init__(self):
                pass
        return [Own("x", X).as_numpy().tolist(), tt(Bare().name)[0], tt(R, [Own("x", X)])]
        """,
        [[1.0, 1.0], "TypeError", "InferenceResponse"],
    ),
    "shared memory": (
        """
        return [c.shared_memory is pb_utils.shared_memory, c.shared_memory.free_memory() > 2**20]
        """,
        [True, True],
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(server, name):
    program, expected = PROGRAMS[name]
    assert run(server, program) == expected


@pytest.mark.hippocamp_only("NVIDIA's module has it not, or dies of it")
@pytest.mark.parametrize("name", OWN_PROGRAMS)
def test_programs_of_our_own(server, name):
    program, expected = OWN_PROGRAMS[name]
    assert run(server, program) == expected


def test_memory_and_traces(server):
    """What else a request to another model may be given."""
    program = """
        memory = pb_utils.PreferredMemory(pb_utils.TRITONSERVER_MEMORY_CPU, 0)
        trace = q().trace()
        return [
            repr(pb_utils.TRITONSERVER_MEMORY_GPU), int(pb_utils.TRITONSERVER_MEMORY_CPU),
            trace.get_context(), values(q(trace=trace, preferred_memory=memory).exec()),
            tt(q, trace=None), tt(q, preferred_memory=None), tt(pb_utils.PreferredMemory, 0),
        ]
    """
    refused = ["TypeError", "__init__(): incompatible constructor arguments"]
    assert run(server, program) == [
        "<MemoryType.TRITONSERVER_MEMORY_GPU: 0>",
        1,
        None,
        {"OUTPUT0": [1.0, 1.0]},
        *[refused] * 3,
    ]
