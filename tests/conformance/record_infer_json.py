"""Record what Triton answers to inference requests in JSON, good and bad.

    HC_ORACLE="command that runs tritonserver" python record_infer_json.py [group ...]

The command is called with a model repository and port options. Each group of cases below becomes
tests/unit/wire/recorded/<group>.json, one case a line, which the unit test wire/recorded replays
without a server: `status` 0 means that the server died of the request.
"""

import contextlib
import http.client
import json
import os
import pathlib
import shlex
import socket
import subprocess
import sys
import tempfile
import time

RECORDED = pathlib.Path(__file__).parents[1] / "unit/wire/recorded"
DATATYPES = "BOOL UINT8 UINT16 UINT32 UINT64 INT8 INT16 INT32 INT64 FP16 FP32 FP64 BYTES BF16".split()

IDENTITY = """
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        return [
            pb_utils.InferenceResponse(
                [
                    pb_utils.Tensor(tensor.name().replace("IN", "OUT"), tensor.as_numpy())
                    for tensor in request.inputs()
                ]
            )
            for request in requests
        ]
"""

# What a model sees of a request besides its tensors.
ECHO = """
import json

import numpy
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        responses = []
        for request in requests:
            seen = [
                request.request_id(),
                request.correlation_id(),
                request.flags(),
                request.timeout(),
                json.loads(request.parameters()),
            ]
            text = numpy.array([json.dumps(seen, ensure_ascii=False).encode()], dtype=object)
            responses.append(pb_utils.InferenceResponse([pb_utils.Tensor("OUT0", text)]))
        return responses
"""


def write_model(root, name, source, inputs, outputs):
    folder = root / name / "1"
    folder.mkdir(parents=True)
    (folder / "model.py").write_text(source)
    lines = ['backend: "python"']
    for kind, prefix, tensors in (("input", "IN", inputs), ("output", "OUT", outputs)):
        for i, (datatype, dims) in enumerate(tensors):
            datatype = "STRING" if datatype == "BYTES" else datatype
            lines.append(f'{kind} {{ name: "{prefix}{i}" data_type: TYPE_{datatype} dims: {dims} }}')
    (folder.parent / "config.pbtxt").write_text("\n".join(lines) + "\n")


def write_repository(root):
    for datatype in DATATYPES:
        tensors = [(datatype, [-1])]
        write_model(root, datatype.lower(), IDENTITY, tensors, tensors)
    pair = [("FP32", [-1]), ("INT32", [-1])]
    write_model(root, "pair", IDENTITY, pair, pair)
    write_model(root, "echo", ECHO, [("FP32", [-1])], [("BYTES", [-1])])


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Oracle:
    def __init__(self, repository):
        self.repository = repository
        self.process = None

    def start(self):
        self.port = free_port()
        ports = [f"--http-port={self.port}"]
        ports += [f"--{kind}-port={free_port()}" for kind in ("grpc", "metrics")]
        command = shlex.split(os.environ["HC_ORACLE"]) + [str(self.repository), *ports]
        command.append("--disable-auto-complete-config")
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        while self.get("/v2/health/ready") != 200:
            if self.process.poll() is not None:
                sys.exit("the server did not start")
            time.sleep(0.1)

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def get(self, path):
        with contextlib.suppress(OSError), contextlib.closing(self.connect()) as connection:
            connection.request("GET", path)
            return connection.getresponse().status

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def post(self, path, body):
        """Status, header length (None without one) and body; status 0 when the server died."""
        if self.process is None:
            self.start()
        try:
            with contextlib.closing(self.connect()) as connection:
                connection.request("POST", path, body)
                response = connection.getresponse()
                length = response.getheader("Inference-Header-Content-Length")
                return response.status, length, response.read()
        except (http.client.HTTPException, OSError):
            self.process.wait()
            self.process = None
            return 0, None, b""


def tensor(data=None, shape="[2]", datatype="FP32", name="IN0", more=""):
    members = f'"name":"{name}","shape":{shape},"datatype":"{datatype}"'
    if data is not None:
        members += f',"data":{data}'
    return "{" + members + more + "}"


def request(*inputs, before="", after=""):
    return "{" + before + '"inputs":[' + ",".join(inputs) + "]" + after + "}"


def one(data=None, shape="[2]", datatype="FP32", **more):
    return request(tensor(data, shape, datatype), **more)


def syntax_cases():
    good = '{"id":"\\u0041\\n","inputs":[{"name":"IN0","shape":[2],"datatype":"FP32","data":[-1.5e0, 2]}]}'
    for i in range(len(good)):
        yield f"cut after {i}", "fp32", good[:i] if i > 0 else " "
    strange = '}]"\\:,x0-\x01.e{[/'
    for i in range(len(good)):
        c = strange[i % len(strange)]
        yield f"{c!a} instead of byte {i}", "fp32", good[:i] + c + good[i + 1 :]
        yield f"{c!a} before byte {i}", "fp32", good[:i] + c + good[i:]
    for text in (
        [" ", "\t\n\r ", "\0", "\0{}", "nul", "nulL", "tru", "falsy", "True", "none", "'a'", "{'a':1}"]
        + ["{a:1}", '{"a"}', '{"a":}', '{"a":1,}', '{,"a":1}', '{"a":1 "b":2}', '{"a":1]', '{"a" 1}']
        + ["[1,]", "[,1]", "[1 2]", "[1}", "[", "[[", "]", "}", ",", ":", "[1]]", "[1] x", "{} {}", "[1],"]
        + ["[01]", "[-01]", "[1.]", "[.5]", "[-.5]", "[1.e5]", "[1e]", "[1e+]", "[1E-]", "[-]", "[--1]", "[+1]"]
        + ["[1e5.5]", "[0x10]", "[1_000]", "[1e309]", "[-1e309]", "[1e999999999999]", "[10e308]", "[0e999]"]
        + ["[1" + "0" * 308 + "]", "[1" + "0" * 309 + "]", "[1e-999999999999]", "[0." + "0" * 400 + "1e405]"]
        + ["[nan]", "[Nan]", "[NaN1]", "[NaN.5]", "[NaN e]", "[N]", "[NaInf]", "[I]", "[In]", "[Infin]", "[Infinit]"]
        + ["[inf]", "[Infinity0]", "[Infinity.5]", "[+Inf]", "[- 1]", "[-NaN]", "[NaN,-Inf]", "[--Inf]", "[INF]"]
        + ['"abc', '"\\', '"\\"', '"\\x"', '"\\u"', '"\\u12"', '"\\u123g"', '"\\u12 4"', '"\\U0041"', '"a\nb"', '"\t"']
        + ['"\\ud800"', '"\\ud800x"', '"\\ud800\\n"', '"\\ud800\\u0041"', '"\\ud800\\ud800"', '"\\ud800\\u12"']
        + ['"\\udc00"', '"\\udfff\\ud800"', '"a\0b"', '{"a\0":1}', '"\x7f"', "// comment\n{}", "{} // comment"]
        + ["[]\0garbage", "[] \0", "[\0]", "\ufeff[]", "[1,\v2]", "[1,\f2]", "[1,\xa02]", "[tru e]", "[truefalse]"]
    ):
        yield f"text {text[:40]!a}" + (f" … ({len(text)})" if len(text) > 40 else ""), "fp32", text
    yield "half a byte order mark", "fp32", b"\xef\xbb[]"
    yield "bytes that are not UTF-8", "fp32", b'{"\xff\xfe":"\xc3"}'
    yield "a byte that is not UTF-8 outside of strings", "fp32", b"[\xff]"
    for depth in 90, 300, 600:
        yield f"{depth} arrays", "fp32", one("[1,2]", before='"x":' + "[" * depth + "]" * depth + ",")


def request_cases():
    def parameters(text):
        return one("[1,2]", before=f'"parameters":{text},')

    for text in "[]", "5", '"x"', "null", "true", "{}", '{"inputs":{}}', '{"inputs":null}', '{"inputs":5}':
        yield f"document {text}", "fp32", text
    for text in "5", "null", "{}", "[]", "true", '""', '"x"', '"\\u0000"', '"a\\u0000b"', '"\\"\\u00e9\\n"':
        yield f"id {text}", "echo", one("[1,2]", before=f'"id":{text},')
    yield "id twice", "echo", one("[1,2]", before='"id":"x","id":5,')
    yield "id twice, wrong first", "echo", one("[1,2]", before='"id":5,"id":"x",')
    yield "name of a member with an escape", "echo", one("[1,2]", before='"\\u0069d":"x",')
    yield "id last", "echo", one("[1,2]", after=',"id":"last"')
    yield "members not known", "echo", one("[1,2]", before='"x":{"y":[1,{"z":null}]},"Inputs":5,')
    for text in "5", "null", "[]", '"x"', "{}", '{"a":null}', '{"a":[1]}', '{"a":{}}', '{"a":[]}':
        yield f"parameters {text}", "echo", parameters(text)
    for text in (
        ['"a":1', '"a":-1', '"a":-9223372036854775808', '"a":9223372036854775807', '"a":9223372036854775808']
        + ['"a":18446744073709551615', '"a":18446744073709551616', '"a":1.5', '"a":1.0', '"a":1e3', '"a":true']
        + ['"a":false', '"a":""', '"a":"x\\"y\\u00e9"', '"a":"x\\u0000y"', '"":1', '"a\\u0000b":1', '"a":-0']
        + ['"a":1,"b":"x","c":true', '"a":1,"a":2', '"a":1,"a":null', '"a":null,"a":1', '"a":"x","\\u0061":5']
        + ['"triton_x":1', '"triton_":1', '"triton":1', '"Triton_x":1', '"headers":1', '"a":1,"triton_x":1']
        + ['"triton_x":1,"a":null', '"a":null,"triton_x":1']
        + ['"sequence_id":5', '"sequence_id":0', '"sequence_id":18446744073709551615', '"sequence_id":-1']
        + ['"sequence_id":1.5', '"sequence_id":true', '"sequence_id":null', '"sequence_id":"x"', '"sequence_id":""']
        + ['"sequence_id":"' + "x" * 128 + '"', '"sequence_id":"' + "x" * 129 + '"', '"sequence_id":"x\\u0000y"']
        + ['"sequence_id":"x\\u0000' + "y" * 129 + '"', '"sequence_id":[]', '"sequence_id":18446744073709551616']
        + ['"sequence_start":true', '"sequence_start":false', '"sequence_start":1', '"sequence_start":"true"']
        + ['"sequence_end":true', '"sequence_end":null', '"sequence_start":true,"sequence_end":true']
        + ['"priority":0', '"priority":1', '"priority":18446744073709551615', '"priority":-1', '"priority":"1"']
        + ['"priority":1.0', '"priority":true', '"timeout":5000000', '"timeout":0', '"timeout":-1', '"timeout":1e6']
        + ['"timeout":18446744073709551615', '"timeout":null', '"binary_data_output":false']
        + ['"binary_data_output":1', '"binary_data_output":null', '"priority":1,"priority":"x"']
        + ['"priority":-1,"timeout":-1', '"timeout":-1,"priority":-1', '"a":null,"priority":-1']
    ):
        yield f"parameter {text[:60]} ({len(text)})", "echo", parameters("{" + text + "}")
    yield "parameters twice", "echo", one("[1,2]", before='"parameters":{"a":1},"parameters":{"b":2},')
    yield "parameters that are none twice", "echo", one("[1,2]", before='"parameters":5,"parameters":{"b":2},')
    mistakes = {
        "id": '"id":5',
        "parameters": '"parameters":{"a":null}',
        "inputs": '"inputs":[{}]',
        "outputs": '"outputs":[{}]',
    }
    for first in mistakes:
        for second in mistakes:
            if first != second:
                rest = "" if "inputs" in (first, second) else f',"inputs":[{tensor("[1,2]")}]'
                text = "{" + mistakes[second] + "," + mistakes[first] + rest + "}"
                yield f"wrong {second}, {first}", "fp32", text
    yield "wrong id and wrong text", "fp32", '{"id":5,"inputs":[}'


def input_cases():
    def item(text):
        return request("{" + text + "}")

    for text in "5", "null", "[]", '"x"', "{}":
        yield f"input {text}", "fp32", request(text)
    yield "no inputs", "fp32", request()
    head = '"name":"IN0","shape":[2],"datatype":"FP32"'
    for text in (
        ['"name":5,"data":[]', '"data":[]', '"name":null,"data":[]', '"name":"IN0","data":[]']
        + ['"name":"IN0","datatype":5,"data":[]', '"name":"IN0","datatype":"FP32","data":[]']
        + ['"datatype":"FP32","shape":[2],"data":[1,2]', '"name":"IN0","shape":[2],"data":[1,2]']
        + [f'{head},"data":[1,2],"name":"X"', f'{head},"data":[1,2],"data":[3,4]', f'{head},"data":null']
        + [f'"data":[1,2],{head}', '"data":[1,2],"shape":[2],"datatype":"FP32","name":"IN0"']
        + [head, f'{head},"parameters":{{}}', f'{head},"parameters":5', f'{head},"parameters":null']
        + [f'{head},"data":[1,2],"parameters":5', f'{head},"data":[1,2],"parameters":[]']
        + [f'{head},"data":[1,2],"parameters":{{"x":null}}', f'{head},"data":[1,2],"x":{{"data":5}}']
    ):
        yield f"input {text[:80]}", "fp32", item(text)
    for parameters in (
        ['"binary_data_size":8', '"binary_data_size":0', '"binary_data_size":"8"', '"binary_data_size":-8']
        + ['"binary_data_size":8.0', '"binary_data_size":null', '"binary_data_size":18446744073709551616']
        + ['"shared_memory_region":"r"', '"shared_memory_region":5', '"shared_memory_region":null']
        + ['"shared_memory_region":"r","shared_memory_offset":-1', '"shared_memory_offset":8']
        + ['"shared_memory_region":"r","shared_memory_byte_size":"8"', '"shared_memory_byte_size":8']
        + ['"shared_memory_region":"r","shared_memory_offset":null,"shared_memory_byte_size":null']
        + ['"shared_memory_region":"r","binary_data_size":8', '"binary_data_size":8,"shared_memory_offset":-1']
    ):
        for data in "", ',"data":[1,2]':
            text = f'{head}{data},"parameters":{{{parameters}}}'
            yield f"input {parameters}{' and data' if data else ''}", "fp32", item(text)
    for shape in (
        ["5", "null", "{}", '"2"', "[null]", '["2"]', "[2.0]", "[-1]", "[-0]", "[[2]]", "[2,[]]", "[true]", "[]"]
        + ["[0]", "[2]", "[2,0]", "[1,2]", "[2,1]", "[1]", "[3]", "[18446744073709551616]", "[1e0]"]
        + ["[18446744073709551615]", "[9223372036854775808]", "[9223372036854775807]", "[4294967296,4294967296]"]
        + ["[4294967296,4294967296,0]", "[9223372036854775807,2]", "[2,18446744073709551615]"]
        + ["[4611686018427387904]", "[1" + ",1" * 70 + "]"]
    ):
        yield f"shape {shape[:60]}", "fp32", one("[1,2]", shape)
    for datatype in (
        ["INVALID", "", "fp32", "FP8", "FP32 ", "TYPE_FP32", "STRING", "FP32\\u0000x", "\\u0046P32", "INT32"]
        + ["FP16", "BF16", "BYTES", "<invalid>"]
    ):
        yield f"datatype {datatype}", "fp32", one("[1,2]", datatype=datatype)
        yield f"datatype {datatype}, empty", "fp32", one("[]", "[0]", datatype=datatype)
        yield f"datatype {datatype}, data first", "fp32", item(f'"data":[1,2],"datatype":"{datatype}","shape":[2],"name":"IN0"')
    for name in "X", "", "IN0\\u0000x", "\\u0049N0", "in0":
        yield f"name {name!r}", "fp32", request(tensor("[1,2]", name=name))
    yield "two inputs", "pair", request(tensor("[1,2]"), tensor("[3]", "[1]", "INT32", "IN1"))
    yield "two inputs, other way round", "pair", request(tensor("[3]", "[1]", "INT32", "IN1"), tensor("[1,2]"))
    yield "one of two inputs", "pair", request(tensor("[1,2]"))
    yield "the same input twice", "pair", request(tensor("[1,2]"), tensor("[1,2]"))
    yield "the same input twice, id after", "pair", request(tensor("[1,2]"), tensor("[1,2]"), after=',"id":"7"')
    yield "the same input twice, then a wrong one", "pair", request(tensor("[1]", "[1]"), tensor("[1,2]"), "5")
    yield "the same input twice, the second with wrong data", "pair", request(tensor("[1,2]"), tensor("[1]"))
    yield "the same input twice, the second without shape", "pair", request(
        tensor("[1,2]"), '{"name":"IN0","datatype":"FP32","data":[1,2]}'
    )
    yield "the same input twice, the first with wrong data", "pair", request(tensor("[1]"), tensor("[1,2]"))
    yield "the same input twice, names with a NUL", "pair", request(
        tensor("[1,2]"), tensor("[1,2]", name="IN0\\u0000x")
    )
    yield "wrong data in two inputs", "pair", request(tensor("[1]"), tensor('["x"]', "[1]", "INT32", "IN1"))
    yield "wrong data and a wrong output", "fp32", one("[1]", after=',"outputs":[{}]')


def data_cases():
    nested = [("[[1,2]]", "[2]"), ("[[1],[2]]", "[2]"), ("[1,[2]]", "[2]"), ("[[],[1,[[]],2]]", "[2]")]
    nested += [("[[1,2],[3,4]]", "[4]"), ("[1,2,3,4]", "[4]"), ("[1,2,3]", "[2]"), ("[1]", "[2]"), ("[]", "[2]")]
    nested += [("[[[]]]", "[2]"), ("[]", "[0]"), ("[1]", "[0]"), ('"x"', "[0]"), ("null", "[0]"), ("{}", "[2]")]
    nested += [("1", "[2]"), ("1", "[1]"), ("null", "[2]"), ('"x"', "[2]"), ("[1,{}]", "[2]"), ("[{},{}]", "[2]")]
    nested += [("[1,2,{}]", "[2]"), ("[1,2,null]", "[2]"), ("[1,null]", "[3]"), ("[1,{},3]", "[2]"), ("[1,2]", "[]")]
    for data, shape in nested:
        yield f"data {data} for shape {shape}", "fp32", one(data, shape)
    for depth in 98, 99, 100, 101:
        for leaf in "1", "":
            data = "[" * depth + leaf + "]" * depth
            yield f"{depth} deep with {leaf or 'nothing'} inside", "fp32", one(data, "[1]")
    yield "100 deep after too many", "fp32", one("[1,2," + "[" * 100 + "3" + "]" * 100 + "]", "[1]")
    yield "strings 99 deep", "bytes", one("[" * 99 + '"x"' + "]" * 99, "[1]", "BYTES")
    yield "strings 100 deep", "bytes", one("[" * 100 + '"x"' + "]" * 100, "[1]", "BYTES")
    kinds = ["1", "0", "-0", "-1", "1.0", "1e0", "true", "false", "null", '"1"', '""', "{}", "NaN", "-Inf", "255"]
    kinds += ["256", "257", "-128", "-129", "65536", "-32769", "4294967296", "-2147483649", "9223372036854775807"]
    kinds += ["9223372036854775808", "18446744073709551615", "18446744073709551616", "-9223372036854775808"]
    kinds += ["-9223372036854775809", "1e400", "0.1", "-0.0", "1e39", "1.5e-45", "5e-324", "1e-400", "Infinity"]
    for datatype in DATATYPES:
        for kind in kinds if datatype not in ("FP16", "BF16") else ["1"]:
            yield f"{datatype} of {kind}", datatype.lower(), one(f"[{kind}]", "[1]", datatype)
    reals = "0.1,0.30000001192092896,1e21,123456789012345680000,1e22,0.000001,1e-6,1e-7,1.5e-9,100,16777217"
    reals += ",3.4028234663852886e38,1.401298464324817e-45,1.17549435e-38,0.3333333333333333,-2.5,1e10,7e-3"
    shape = f"[{len(reals.split(','))}]"
    yield "reals as FP32", "fp32", one(f"[{reals}]", shape)
    yield "reals as FP64", "fp64", one(f"[{reals}]", shape, "FP64")
    yield "reals as FP64, with blanks", "fp64", one(f"[ {reals.replace(',', ' ,  ')} ]", shape, "FP64")
    more = "1.7976931348623157e308,2.2250738585072014e-308,4.9e-324,123456789.12345678,0.1e1,1E+5,12.5E-1"
    yield "more FP64", "fp64", one(f"[{more}]", "[7]", "FP64")
    long = "3.14159265358979323846264338327950288419716939937510582097494459"
    yield "a long FP64", "fp64", one(f"[{long}]", "[1]", "FP64")
    strings = [r'"\u0041\u00e9\u20ac\ud83d\ude00"', r'"\"\\\/\b\f\n\r\t"', r'"\u0000\u001f\u007f"', '"é€😀"', '""', r'"a\u0000"']
    for string in strings:
        yield f"BYTES of string {string}", "bytes", one(f"[{string}]", "[1]", "BYTES")
    yield "BYTES of half a surrogate pair", "bytes", one(r'["\udc00"]', "[1]", "BYTES")
    yield "BYTES that is not UTF-8", "bytes", one('["\xff"]', "[1]", "BYTES").encode("latin-1")
    counts = ('["a"]', '["a","b"]', '["a","b","c"]', "[]", '[["a"],["b"]]', '["a",1]', '["a",null]', '["a",["b",{}]]')
    for data in counts:
        yield f"BYTES {data} for shape [2]", "bytes", one(data, datatype="BYTES")
    yield "BYTES of a string", "bytes", one('"ab"', datatype="BYTES")


def output_cases():
    for text in "null", "{}", "5", "[]", "[5]", "[null]", "[{}]", '[{"name":5}]', '[{"name":null}]':
        yield f"outputs {text}", "fp32", one("[1,2]", after=f',"outputs":{text}')
    yield "outputs twice", "fp32", one("[1,2]", after=',"outputs":[],"outputs":5')
    for names in ["OUT0"], ["OUT0", "OUT0"], ["NO"], [""], ["OUT0\\u0000x"], ["OUT0", "NO"]:
        text = ",".join(f'{{"name":"{name}"}}' for name in names)
        yield f"outputs {names}", "fp32", one("[1,2]", after=f',"outputs":[{text}]')
    for parameters in (
        ["5", "null", "{}", '{"x":null}', '{"binary_data":true}', '{"binary_data":false}', '{"binary_data":1}']
        + ['{"binary_data":null}', '{"binary_data":true,"binary_data":1}', '{"binary_data_size":"x"}']
        + ['{"classification":0}', '{"classification":-1}', '{"classification":"1"}', '{"classification":1.0}']
        + ['{"classification":null}', '{"shared_memory_region":"r"}', '{"shared_memory_region":5}']
        + ['{"shared_memory_region":"r","classification":1}', '{"shared_memory_region":"r","classification":null}']
        + ['{"shared_memory_region":"r","binary_data":true}', '{"shared_memory_region":"r","binary_data":false}']
        + ['{"shared_memory_region":"r","binary_data":1}', '{"shared_memory_region":5,"binary_data":1}']
        + ['{"shared_memory_region":"r","shared_memory_offset":-1}', '{"shared_memory_offset":-1}']
        + ['{"shared_memory_region":"r","shared_memory_byte_size":1.5}', '{"shared_memory_byte_size":"x"}']
        + ['{"classification":-1,"binary_data":1}', '{"shared_memory_offset":-1,"binary_data":1}']
    ):
        text = f'[{{"name":"OUT0","parameters":{parameters}}}]'
        yield f"output {parameters}", "fp32", one("[1,2]", after=f',"outputs":{text}')
    pair = (tensor("[1,2]"), tensor("[3]", "[1]", "INT32", "IN1"))
    for names in ["OUT0"], ["OUT1"], ["OUT1", "OUT0"], ["OUT0", "OUT1", "OUT0"]:
        text = ",".join(f'{{"name":"{name}"}}' for name in names)
        yield f"of a pair {names}", "pair", request(*pair, after=f',"outputs":[{text}]')
    binary = '{"name":"OUT0","parameters":{"binary_data":true}}'
    yield "one binary, one not", "pair", request(*pair, after=f',"outputs":[{binary},{{"name":"OUT1"}}]')
    for after in "", ',"outputs":[{"name":"OUT1"}]', ',"outputs":[]':
        text = request(*pair, before='"parameters":{"binary_data_output":true},', after=after)
        yield f"binary by default{after}", "pair", text
    yield "repeated output, binary second", "fp32", one("[1,2]", after=f',"outputs":[{{"name":"OUT0"}},{binary}]')
    yield "repeated output, binary first", "fp32", one("[1,2]", after=f',"outputs":[{binary},{{"name":"OUT0"}}]')
    yield "repeated output, wrong second", "fp32", one(
        "[1,2]", after=',"outputs":[{"name":"OUT0"},{"name":"OUT0","parameters":{"binary_data":1}}]'
    )
    yield "FP16 as data", "fp16", request(tensor(None, "[0]", "FP16", more=',"parameters":{"binary_data_size":0}'))
    yield "names with strange bytes", "fp32", one("[1,2]", before='"id":"\\u001f/\\"\\u007f",')


GROUPS = {
    "syntax": syntax_cases,
    "request": request_cases,
    "inputs": input_cases,
    "data": data_cases,
    "outputs": output_cases,
}


def put(record, key, data):
    """Bytes as text where they are ASCII without a NUL, else in hexadecimal."""
    if data.isascii() and b"\0" not in data:
        record[key] = data.decode()
    else:
        record[key + "_hex"] = data.hex()


def record(oracle, group):
    names = set()
    lines = []
    for name, model, body in GROUPS[group]():
        assert name not in names, name
        names.add(name)
        body = body if isinstance(body, bytes) else body.encode()
        status, header_length, answer = oracle.post(f"/v2/models/{model}/infer", body)
        line = {"name": name, "model": model, "status": status}
        put(line, "body", body)
        if status == 200:
            put(line, "answer", answer[: int(header_length or len(answer))])
        elif status != 0:
            line["error"] = json.loads(answer)["error"]
        lines.append(json.dumps(line))
    text = "[\n" + ",\n".join(lines) + "\n]\n"
    (RECORDED / f"{group}.json").write_text(text)
    print(f"{group}: {len(lines)} cases")


def main(groups):
    with tempfile.TemporaryDirectory() as folder:
        repository = pathlib.Path(folder)
        write_repository(repository)
        oracle = Oracle(repository)
        try:
            for group in groups or GROUPS:
                record(oracle, group)
        finally:
            oracle.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
