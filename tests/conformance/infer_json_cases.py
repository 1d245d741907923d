"""Inference requests in JSON, good and bad: what record_infer_json.py asks Triton about.

Each group yields (name, model, body). Where cases differ in one place only, that place is a line of
a text below.
"""


def tensor(data=None, shape="[2]", datatype="FP32", name="IN0", more=""):
    members = f'"name":"{name}","shape":{shape},"datatype":"{datatype}"'
    if data is not None:
        members += f',"data":{data}'
    return "{" + members + more + "}"


def request(*inputs, before="", after=""):
    return "{" + before + '"inputs":[' + ",".join(inputs) + "]" + after + "}"


def one(data=None, shape="[2]", datatype="FP32", **more):
    return request(tensor(data, shape, datatype), **more)


def lines(text):
    return text.strip("\n").split("\n")


def short(text):
    return text if len(text) <= 80 else f"{text[:60]} … ({len(text)})"


# ---- text that is no JSON, mostly


TEXTS = r"""
nul
nulL
tru
falsy
True
none
'a'
{'a':1}
{a:1}
{"a"}
{"a":}
{"a":1,}
{,"a":1}
{"a":1 "b":2}
{"a":1]
{"a" 1}
[1,]
[,1]
[1 2]
[1}
[
[[
]
}
,
:
[1]]
[1] x
{} {}
[1],
[tru e]
[truefalse]
[01]
[-01]
[1.]
[.5]
[-.5]
[1.e5]
[1e]
[1e+]
[1E-]
[-]
[--1]
[- 1]
[+1]
[1e5.5]
[0x10]
[1_000]
[1e309]
[-1e309]
[1e999999999999]
[1e-999999999999]
[10e308]
[0e999]
[nan]
[Nan]
[NaN1]
[NaN.5]
[NaN e]
[N]
[NaInf]
[I]
[In]
[inf]
[INF]
[Infin]
[Infinit]
[Infinity0]
[Infinity.5]
[+Inf]
[--Inf]
[-NaN]
[NaN,-Inf]
"abc
"\
"\"
"\x"
"\u"
"\u12"
"\u123g"
"\u12 4"
"\U0041"
"\ud800"
"\ud800x"
"\ud800\n"
"\ud800\u0041"
"\ud800\ud800"
"\ud800\u12"
"\udc00"
"\udfff\ud800"
{} // comment
"""

STRANGE_TEXTS = [
    " ",
    "\t\n\r ",
    "\0",
    "\0{}",
    '"a\nb"',
    '"\t"',
    '"a\0b"',
    '{"a\0":1}',
    '"\x7f"',
    "// comment\n{}",
    "[]\0garbage",
    "[] \0",
    "[\0]",
    "\ufeff[]",
    "[1,\v2]",
    "[1,\f2]",
    "[1,\xa02]",
    "[1" + "0" * 308 + "]",
    "[1" + "0" * 309 + "]",
    "[0." + "0" * 400 + "1e405]",
]


def syntax_cases():
    good = one("[-1.5e0, 2]", before='"id":"\\u0041\\n",')
    strange = '}]"\\:,x0-\x01.e{[/'
    for i in range(len(good)):
        c = strange[i % len(strange)]
        yield f"cut after {i}", "fp32", good[:i] if i > 0 else " "
        yield f"{c!a} instead of byte {i}", "fp32", good[:i] + c + good[i + 1 :]
        yield f"{c!a} before byte {i}", "fp32", good[:i] + c + good[i:]
    for text in lines(TEXTS):
        yield f"text {text}", "fp32", text
    for text in STRANGE_TEXTS:
        yield f"text {short(ascii(text))}", "fp32", text
    yield "half a byte order mark", "fp32", b"\xef\xbb[]"
    yield "bytes that are not UTF-8", "fp32", b'{"\xff\xfe":"\xc3"}'
    yield "a byte that is not UTF-8 outside of strings", "fp32", b"[\xff]"
    for depth in 90, 300, 600:
        yield (
            f"{depth} arrays",
            "fp32",
            one("[1,2]", before='"x":' + "[" * depth + "]" * depth + ","),
        )


# ---- the request and its parameters


DOCUMENTS = """
[]
5
"x"
null
true
{}
{"inputs":{}}
{"inputs":null}
{"inputs":5}
"""

IDS = r"""
5
null
{}
[]
true
""
"x"
"\u0000"
"a\u0000b"
"\"\u00e9\n"
"""

PARAMETERS = r"""
"a":1
"a":-1
"a":-0
"a":-9223372036854775808
"a":9223372036854775807
"a":9223372036854775808
"a":18446744073709551615
"a":18446744073709551616
"a":1.5
"a":1.0
"a":1e3
"a":true
"a":false
"a":null
"a":[1]
"a":{}
"a":[]
"a":""
"a":"x\"y\u00e9"
"a":"x\u0000y"
"":1
"a\u0000b":1
"a":1,"b":"x","c":true
"a":1,"a":2
"a":1,"a":null
"a":null,"a":1
"a":"x","\u0061":5
"triton_x":1
"triton_":1
"triton":1
"Triton_x":1
"headers":1
"a":1,"triton_x":1
"triton_x":1,"a":null
"a":null,"triton_x":1
"sequence_id":5
"sequence_id":0
"sequence_id":18446744073709551615
"sequence_id":18446744073709551616
"sequence_id":-1
"sequence_id":1.5
"sequence_id":true
"sequence_id":null
"sequence_id":[]
"sequence_id":"x"
"sequence_id":""
"sequence_id":"x\u0000y"
"sequence_start":true
"sequence_start":false
"sequence_start":1
"sequence_start":"true"
"sequence_end":true
"sequence_end":null
"sequence_start":true,"sequence_end":true
"priority":0
"priority":1
"priority":18446744073709551615
"priority":-1
"priority":"1"
"priority":1.0
"priority":true
"priority":1,"priority":"x"
"timeout":5000000
"timeout":0
"timeout":-1
"timeout":1e6
"timeout":18446744073709551615
"timeout":null
"binary_data_output":false
"binary_data_output":1
"binary_data_output":null
"priority":-1,"timeout":-1
"timeout":-1,"priority":-1
"a":null,"priority":-1
"""

# Two of these in one request: which is reported?
MISTAKES = {
    "id": '"id":5',
    "parameters": '"parameters":{"a":null}',
    "inputs": '"inputs":[{}]',
    "outputs": '"outputs":[{}]',
}


def request_cases():
    for text in lines(DOCUMENTS):
        yield f"document {text}", "fp32", text
    for text in lines(IDS):
        yield f"id {text}", "echo", one("[1,2]", before=f'"id":{text},')
    for name, members in (
        ("id twice", '"id":"x","id":5,'),
        ("id twice, wrong first", '"id":5,"id":"x",'),
        ("name of a member with an escape", r'"\u0069d":"x",'),
        ("members not known", '"x":{"y":[1,{"z":null}]},"Inputs":5,'),
        ("parameters twice", '"parameters":{"a":1},"parameters":{"b":2},'),
        ("parameters that are none twice", '"parameters":5,"parameters":{"b":2},'),
    ):
        yield name, "echo", one("[1,2]", before=members)
    yield "id last", "echo", one("[1,2]", after=',"id":"last"')
    for text in "5", "null", "[]", '"x"', "{}":
        yield f"parameters {text}", "echo", one("[1,2]", before=f'"parameters":{text},')
    for text in lines(PARAMETERS):
        members = f'"parameters":{{{text}}},'
        yield f"parameter {text}", "echo", one("[1,2]", before=members)
    for string in "x" * 128, "x" * 129, "x\\u0000" + "y" * 129:
        members = f'"parameters":{{"sequence_id":"{string}"}},'
        yield f"a sequence id of {len(string)}", "echo", one("[1,2]", before=members)
    for first in MISTAKES:
        for second in MISTAKES:
            if first != second:
                rest = "" if "inputs" in (first, second) else f',"inputs":[{tensor("[1,2]")}]'
                text = "{" + MISTAKES[second] + "," + MISTAKES[first] + rest + "}"
                yield f"wrong {second}, {first}", "fp32", text
    yield "wrong id and wrong text", "fp32", '{"id":5,"inputs":[}'


# ---- inputs


HEAD = '"name":"IN0","shape":[2],"datatype":"FP32"'

INPUTS = rf"""
"name":5,"data":[]
"data":[]
"name":null,"data":[]
"name":"IN0","data":[]
"name":"IN0","datatype":5,"data":[]
"name":"IN0","datatype":"FP32","data":[]
"datatype":"FP32","shape":[2],"data":[1,2]
"name":"IN0","shape":[2],"data":[1,2]
{HEAD},"data":[1,2],"name":"X"
{HEAD},"data":[1,2],"data":[3,4]
{HEAD},"data":null
"data":[1,2],{HEAD}
"data":[1,2],"shape":[2],"datatype":"FP32","name":"IN0"
{HEAD}
{HEAD},"parameters":{{}}
{HEAD},"parameters":5
{HEAD},"parameters":null
{HEAD},"data":[1,2],"parameters":5
{HEAD},"data":[1,2],"parameters":[]
{HEAD},"data":[1,2],"parameters":{{"x":null}}
{HEAD},"data":[1,2],"x":{{"data":5}}
"""

INPUT_PARAMETERS = """
"binary_data_size":8
"binary_data_size":0
"binary_data_size":"8"
"binary_data_size":-8
"binary_data_size":8.0
"binary_data_size":null
"binary_data_size":18446744073709551616
"shared_memory_region":"r"
"shared_memory_region":5
"shared_memory_region":null
"shared_memory_region":"r","shared_memory_offset":-1
"shared_memory_region":"r","shared_memory_byte_size":"8"
"shared_memory_region":"r","shared_memory_offset":null,"shared_memory_byte_size":null
"shared_memory_region":"r","binary_data_size":8
"shared_memory_offset":8
"shared_memory_byte_size":8
"binary_data_size":8,"shared_memory_offset":-1
"""

SHAPES = """
5
null
{}
"2"
[null]
["2"]
[2.0]
[1e0]
[-1]
[-0]
[[2]]
[2,[]]
[true]
[]
[0]
[2]
[2,0]
[1,2]
[2,1]
[1]
[3]
[18446744073709551616]
[18446744073709551615]
[2,18446744073709551615]
[9223372036854775808]
[9223372036854775807]
[9223372036854775807,2]
[4294967296,4294967296]
[4294967296,4294967296,0]
[4611686018427387904]
"""

DATATYPES = r"""
INVALID

fp32
FP8
 FP32
TYPE_FP32
STRING
FP32\u0000x
\u0046P32
INT32
FP16
BF16
BYTES
<invalid>
"""


def input_cases():
    for text in "5", "null", "[]", '"x"', "{}":
        yield f"item {text}", "fp32", request(text)
    yield "no inputs", "fp32", request()
    for text in lines(INPUTS):
        yield f"input {text}", "fp32", request("{" + text + "}")
    for parameters in lines(INPUT_PARAMETERS):
        for data in "", ',"data":[1,2]':
            text = f'{HEAD}{data},"parameters":{{{parameters}}}'
            name = f"input {parameters}{' and data' if data else ''}"
            yield name, "fp32", request("{" + text + "}")
    for shape in lines(SHAPES):
        yield f"shape {shape}", "fp32", one("[1,2]", shape)
    yield "a shape of 71 dimensions", "fp32", one("[1,2]", "[1" + ",1" * 70 + "]")
    for datatype in lines(DATATYPES):
        yield f"datatype {datatype}", "fp32", one("[1,2]", datatype=datatype)
        yield f"datatype {datatype}, empty", "fp32", one("[]", "[0]", datatype=datatype)
        text = f'{{"data":[1,2],"datatype":"{datatype}","shape":[2],"name":"IN0"}}'
        yield f"datatype {datatype}, data first", "fp32", request(text)
    for name in "X", "", "IN0\\u0000x", "\\u0049N0", "in0":
        yield f"name {name}", "fp32", request(tensor("[1,2]", name=name))
    yield from pair_cases()


def pair_cases():
    first = tensor("[1,2]")
    second = tensor("[3]", "[1]", "INT32", "IN1")
    wrong = tensor("[1]")
    no_shape = '{"name":"IN0","datatype":"FP32","data":[1,2]}'
    nul = tensor("[1,2]", name="IN0\\u0000x")
    wrong_second = tensor('["x"]', "[1]", "INT32", "IN1")
    yield "two inputs", "pair", request(first, second)
    yield "two inputs, other way round", "pair", request(second, first)
    yield "one of two inputs", "pair", request(first)
    for name, inputs in (
        ("", (first, first)),
        (", then a wrong one", (first, first, "5")),
        (", the second with wrong data", (first, wrong)),
        (", the second without shape", (first, no_shape)),
        (", the first with wrong data", (wrong, first)),
        (", names with a NUL", (first, nul)),
    ):
        yield "the same input twice" + name, "pair", request(*inputs)
    yield "the same input twice, id after", "pair", request(first, first, after=',"id":"7"')
    yield "wrong data in two inputs", "pair", request(wrong, wrong_second)
    yield "wrong data and a wrong output", "fp32", request(wrong, after=',"outputs":[{}]')


# ---- data


# data, for which shape
NESTED = """
[[1,2]] [2]
[[1],[2]] [2]
[1,[2]] [2]
[[],[1,[[]],2]] [2]
[[1,2],[3,4]] [4]
[1,2,3,4] [4]
[1,2,3] [2]
[1] [2]
[] [2]
[[[]]] [2]
[] [0]
[1] [0]
"x" [0]
null [0]
{} [2]
1 [2]
1 [1]
null [2]
"x" [2]
[1,{}] [2]
[{},{}] [2]
[1,2,{}] [2]
[1,2,null] [2]
[1,null] [3]
[1,{},3] [2]
[1,2] []
"""

ELEMENTS = """
1
0
-0
-1
1.0
1e0
true
false
null
"1"
""
{}
NaN
-Inf
Infinity
255
256
257
-128
-129
65536
-32769
4294967296
-2147483649
9223372036854775807
9223372036854775808
18446744073709551615
18446744073709551616
-9223372036854775808
-9223372036854775809
1e400
1e-400
0.1
-0.0
1e39
1.5e-45
5e-324
"""

REALS = """
0.1
0.30000001192092896
1e21
123456789012345680000
1e22
0.000001
1e-6
1e-7
1.5e-9
100
16777217
3.4028234663852886e38
1.401298464324817e-45
1.17549435e-38
0.3333333333333333
-2.5
1e10
7e-3
"""

DOUBLES = """
1.7976931348623157e308
2.2250738585072014e-308
4.9e-324
123456789.12345678
0.1e1
1E+5
12.5E-1
3.14159265358979323846264338327950288419716939937510582097494459
"""

STRINGS = r"""
"\u0041\u00e9\u20ac\ud83d\ude00"
"\"\\\/\b\f\n\r\t"
"\u0000\u001f\u007f"
"é€😀"
"a\u0000"
"\udc00"
"""

STRING_DATA = """
["a"]
["a","b"]
["a","b","c"]
[]
[["a"],["b"]]
["a",1]
["a",null]
["a",["b",{}]]
"ab"
"""

TENSOR_TYPES = ["BOOL", "BYTES", "FP16", "FP32", "FP64", "BF16"]
TENSOR_TYPES += [f"{kind}{width}" for kind in ("UINT", "INT") for width in (8, 16, 32, 64)]


def data_cases():
    for line in lines(NESTED):
        data, shape = line.split(" ")
        yield f"data {data} for shape {shape}", "fp32", one(data, shape)
    for depth in 98, 99, 100, 101:
        for leaf in "1", "":
            data = "[" * depth + leaf + "]" * depth
            yield f"{depth} deep with {leaf or 'nothing'} inside", "fp32", one(data, "[1]")
    deep = "[" * 100 + "3" + "]" * 100
    yield "100 deep after too many", "fp32", one(f"[1,2,{deep}]", "[1]")
    for depth in 99, 100:
        data = "[" * depth + '"x"' + "]" * depth
        yield f"strings {depth} deep", "bytes", one(data, "[1]", "BYTES")
    for datatype in TENSOR_TYPES:
        for element in lines(ELEMENTS) if datatype not in ("FP16", "BF16") else ["1"]:
            body = one(f"[{element}]", "[1]", datatype)
            yield f"{datatype} of {element}", datatype.lower(), body
    for name, model, texts in (
        ("reals as FP32", "fp32", lines(REALS)),
        ("reals as FP64", "fp64", lines(REALS)),
        ("doubles as FP64", "fp64", lines(DOUBLES)),
    ):
        shape = f"[{len(texts)}]"
        yield name, model, one(f"[{','.join(texts)}]", shape, model.upper())
        yield f"{name}, with blanks", model, one(f"[ {' ,  '.join(texts)} ]", shape, model.upper())
    for string in lines(STRINGS):
        yield f"the string {string}", "bytes", one(f"[{string}]", "[1]", "BYTES")
    not_utf8 = one('["\xff"]', "[1]", "BYTES").encode("latin-1")
    yield "a string that is not UTF-8", "bytes", not_utf8
    for data in lines(STRING_DATA):
        yield f"BYTES {data} for shape [2]", "bytes", one(data, datatype="BYTES")


# ---- outputs


OUTPUTS = r"""
null
{}
5
[]
[5]
[null]
[{}]
[{"name":5}]
[{"name":null}]
[{"name":"OUT0"}]
[{"name":"OUT0"},{"name":"OUT0"}]
[{"name":"NO"}]
[{"name":""}]
[{"name":"OUT0\u0000x"}]
[{"name":"OUT0"},{"name":"NO"}]
[],"outputs":5
[{"name":"OUT0"},{"name":"OUT0","parameters":{"binary_data":true}}]
[{"name":"OUT0","parameters":{"binary_data":true}},{"name":"OUT0"}]
[{"name":"OUT0"},{"name":"OUT0","parameters":{"binary_data":1}}]
"""

OUTPUT_PARAMETERS = """
5
null
{}
{"x":null}
{"binary_data":true}
{"binary_data":false}
{"binary_data":1}
{"binary_data":null}
{"binary_data":true,"binary_data":1}
{"binary_data_size":"x"}
{"classification":0}
{"classification":-1}
{"classification":"1"}
{"classification":1.0}
{"classification":null}
{"shared_memory_region":"r"}
{"shared_memory_region":5}
{"shared_memory_region":"r","classification":1}
{"shared_memory_region":"r","classification":null}
{"shared_memory_region":"r","binary_data":true}
{"shared_memory_region":"r","binary_data":false}
{"shared_memory_region":"r","binary_data":1}
{"shared_memory_region":5,"binary_data":1}
{"shared_memory_region":"r","shared_memory_offset":-1}
{"shared_memory_region":"r","shared_memory_byte_size":1.5}
{"shared_memory_offset":-1}
{"shared_memory_byte_size":"x"}
{"classification":-1,"binary_data":1}
{"shared_memory_offset":-1,"binary_data":1}
"""

OUTPUTS_OF_A_PAIR = """
[{"name":"OUT0"}]
[{"name":"OUT1"}]
[{"name":"OUT1"},{"name":"OUT0"}]
[{"name":"OUT0"},{"name":"OUT1"},{"name":"OUT0"}]
[{"name":"OUT0","parameters":{"binary_data":true}},{"name":"OUT1"}]
"""


def output_cases():
    for text in lines(OUTPUTS):
        yield f"outputs {text}", "fp32", one("[1,2]", after=f',"outputs":{text}')
    for parameters in lines(OUTPUT_PARAMETERS):
        text = f',"outputs":[{{"name":"OUT0","parameters":{parameters}}}]'
        yield f"output with {parameters}", "fp32", one("[1,2]", after=text)
    pair = (tensor("[1,2]"), tensor("[3]", "[1]", "INT32", "IN1"))
    for text in lines(OUTPUTS_OF_A_PAIR):
        yield f"of a pair {text}", "pair", request(*pair, after=f',"outputs":{text}')
    for after in "", ',"outputs":[{"name":"OUT1"}]', ',"outputs":[]':
        text = request(*pair, before='"parameters":{"binary_data_output":true},', after=after)
        yield f"binary by default{after}", "pair", text
    empty = tensor(None, "[0]", "FP16", more=',"parameters":{"binary_data_size":0}')
    yield "FP16 as data", "fp16", request(empty)


# ---- generate


GENERATE = r"""
[]
5
null
{"TEXT":"hi"
{"TEXT":"hi"}
{"TEXT":["hi"]}
{"TEXT":["a","b"]}
{"TEXT":[["a"],["b"]]}
{"TEXT":[["a","b"]]}
{"TEXT":[]}
{"TEXT":[[]]}
{"TEXT":5}
{"TEXT":null}
{"TEXT":{}}
{"TEXT":["a",5]}
{"TEXT":["a",null,"b"]}
{"NUM":5}
{"NUM":[5]}
{"NUM":[1,2,3]}
{"NUM":[[1,2],[3]]}
{"NUM":[[1],[2]]}
{"NUM":[[1,2,3]]}
{"NUM":[1,"x"]}
{"NUM":[1,2.5]}
{"NUM":"x"}
{"NUM":1.0}
{"NUM":true}
{"NUM":null}
{"NUM":{}}
{"NUM":[1,{}]}
{"NUM":[]}
{"NUM":4294967297}
{"MAT":[1,2]}
{"MAT":[1,2,3,4]}
{"MAT":[1,2,3]}
{"MAT":[]}
{"MAT":1}
{"MAT":[[1,2],[3,4]]}
{"MAT":["x","y"]}
{"MAT":["x","y","z"]}
{"FIX":[1,2,3]}
{"FIX":[1,2,3,4,5,6]}
{"FIX":[1,2]}
{"FIX":1}
{"FIX":[NaN,-Inf,1e5]}
{"HALF":1}
{"HALF":[]}
{"TEXT":"hi","NUM":5}
{"TEXT":"hi","TEXT":"ho"}
{"TEXT":"hi","TEXT":5}
{"TEXT":5,"TEXT":"hi"}
{"NUM":[1,2],"NUM":3}
{"TEXT":"hi","T\u0045XT":"ho"}
{"TEXT":"hi","id":"7"}
{"TEXT":"hi","id":5}
{"TEXT":5,"id":5}
{"TEXT":"hi","TEXT":"ho","id":"7"}
{"id":"7","TEXT":5}
{"TEXT":"hi","a":1,"b":"x","c":true,"d":1.5}
{"TEXT":"hi","a":18446744073709551615}
{"TEXT":"hi","a":null}
{"TEXT":"hi","a":[1]}
{"TEXT":"hi","a":{}}
{"TEXT":"hi","a":1,"a":2}
{"TEXT":"hi","a":1,"a":null}
{"TEXT":"hi","a\u0000b":1}
{"TEXT":"hi","triton_x":1}
{"TEXT":"hi","priority":"x","timeout":-1,"sequence_id":null}
{"TEXT":"hi","priority":"x","timeout":-1,"sequence_id":true}
{"TEXT":"hi","parameters":{}}
{"TEXT":"hi","parameters":{"a":1,"b":"x"}}
{"TEXT":"hi","parameters":5}
{"TEXT":"hi","parameters":null}
{"TEXT":"hi","parameters":[]}
{"TEXT":"hi","parameters":{"a":null}}
{"TEXT":"hi","parameters":{"NUM":5}}
{"TEXT":"hi","parameters":{"NUM":"x"}}
{"TEXT":"hi","parameters":{"TEXT":"ho"}}
{"parameters":{"TEXT":"hi","TEXT":"ho"}}
{"TEXT":"hi","parameters":{"parameters":{}}}
{"TEXT":"hi","parameters":{"parameters":1}}
{"TEXT":"hi","parameters":{"id":"8"}}
{"TEXT":"hi","parameters":{"id":8}}
{"TEXT":"hi","a":null,"parameters":5}
{"parameters":5,"TEXT":5}
{"TEXT":"hi","a":1,"parameters":{"b":2},"c":3}
"""

GENERATE_IDENTITY = """
{"IN0":[1,2]}
{"IN0":1}
{"IN0":[]}
{"IN0":[1],"id":"7"}
"""


def generate_cases():
    for text in lines(GENERATE):
        yield f"request {text}", "generate", text
    for datatype in TENSOR_TYPES:
        if datatype not in ("FP16", "BF16", "BOOL", "BYTES"):
            for text in lines(GENERATE_IDENTITY):
                yield f"{datatype} {text}", datatype.lower(), text
    yield "BOOL", "bool", '{"IN0":[true,false]}'
    yield "a BOOL", "bool", '{"IN0":true}'
    yield "BYTES", "bytes", '{"IN0":["a","\\n"]}'
    yield "keyword and input", "keyword", '{"parameters":{"a":1}}'
    yield "keyword and input, none given", "keyword", '{"x":{"a":1}}'
    yield "keyword and input, another mistake", "keyword", '{"parameters":5}'
    yield "empty text", "generate", ""


GROUPS = {
    "syntax": syntax_cases,
    "request": request_cases,
    "inputs": input_cases,
    "data": data_cases,
    "outputs": output_cases,
    "generate": generate_cases,
}
