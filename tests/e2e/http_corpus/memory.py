"""Shared memory of clients. The keys stand for memory of 8192 bytes that the test has made, of its
own even when another process runs the same test; the cases follow each other."""

import os

from http_corpus.case import asking, get, infer, post, tensor

KEY = f"/hippocamp-corpus-{os.getpid():010}"
KEY_2 = f"{KEY}-2"
SIZE = 8192
SYSTEM = "/v2/systemsharedmemory"
CUDA = "/v2/cudasharedmemory"


def register(name, content, region="/region/b"):
    return post(f"registering {name}", f"{SYSTEM}{region}/register", content)


def register_cuda(name, content):
    return post(f"registering {name}", f"{CUDA}/region/c/register", content)


def place(size, offset=0, region="a", **more):
    return {
        "shared_memory_region": region,
        "shared_memory_byte_size": size,
        "shared_memory_offset": offset,
        **more,
    }


def given(name, parameters, data=None):
    one = tensor(data, shape=[4], parameters=parameters)
    return infer(f"shared input {name}", "identity", asking(one))


def wanted(name, where, **members):
    content = asking(tensor([1, 2, 3, 4]), outputs={"OUTPUT0": where}, **members)
    return infer(f"shared output {name}", "identity", content)


CASES = [
    get("no regions", f"{SYSTEM}/status"),
    get("no CUDA regions", f"{CUDA}/status"),
    get("an unknown region", f"{SYSTEM}/region/x/status"),
    get("an unknown CUDA region", f"{CUDA}/region/x/status"),
    register("nothing", ""),
    register("no JSON", "{"),
    register("an array", "[]"),
    register("no key", {"byte_size": 64}),
    register("no size", {"key": KEY}),
    register("a key that is none", {"key": 1, "byte_size": 64}),
    register("a size that is none", {"key": KEY, "byte_size": "64"}),
    register("a negative size", {"key": KEY, "byte_size": -1}),
    register("an offset that is none", {"key": KEY, "byte_size": 64, "offset": "1"}),
    register("a key of nobody", {"key": "/hippocamp-nobody", "byte_size": 64}),
    register("slashes", {"key": "///", "byte_size": 64}),
    register("an empty key", {"key": "", "byte_size": 64}),
    register("a path", {"key": "/../x", "byte_size": 64}),
    register("more than there is", {"key": KEY, "byte_size": SIZE + 1}),
    register("from beyond the end", {"key": KEY, "byte_size": 64, "offset": SIZE}),
    register("no bytes", {"key": KEY, "byte_size": 0}),
    register("without a region", {"key": KEY, "byte_size": 64}, region=""),
    register("good memory", {"key": KEY, "byte_size": 4096}, "/region/a"),
    register("a region again", {"key": KEY_2, "byte_size": 64}, "/region/a"),
    register("other memory", {"key": KEY_2[1:], "byte_size": 64}),
    get("two regions", f"{SYSTEM}/status"),
    get("one region", f"{SYSTEM}/region/a/status"),
    get("a system region as a CUDA one", f"{CUDA}/region/a/status"),
    given("good", place(16)),
    given("from an offset", place(16, 4080)),
    given("of an unknown region", place(16, region="x")),
    given("without a size", {"shared_memory_region": "a"}),
    given("of no bytes", place(0)),
    given("of too many bytes", place(20)),
    given("of too few bytes", place(12)),
    given("beyond the region", place(16, 8192)),
    given("at the region's end", place(16, 4088)),
    given("at the last offset", place(16, 2**64 - 8)),
    given("with data", place(16), data=[1, 2, 3, 4]),
    given("with binary data", place(16, binary_data_size=16)),
    given("of a region that is none", place(16, region=7)),
    given("with a size that is none", place("16")),
    given("with an offset that is none", place(16, "0")),
    wanted("good", place(16)),
    wanted("in more than it needs", place(64, 128)),
    wanted("of an unknown region", place(16, region="x")),
    wanted("in less than it needs", place(12)),
    wanted("without a size", {"shared_memory_region": "a"}),
    wanted("with classes", place(16, classification=2)),
    wanted("that is binary", place(16, binary_data=True)),
    wanted("that is not binary", place(16, binary_data=False)),
    wanted("binary by default", place(16), parameters={"binary_data_output": True}),
    post("unregistering one", f"{SYSTEM}/region/b/unregister"),
    post("unregistering an unknown one", f"{SYSTEM}/region/x/unregister"),
    get("one region left", f"{SYSTEM}/status"),
    post("unregistering CUDA regions", f"{CUDA}/unregister"),
    post("unregistering all", f"{SYSTEM}/unregister"),
    get("no region left", f"{SYSTEM}/status"),
    register("from an odd offset", {"key": KEY_2, "byte_size": 64, "offset": 8}),
    post("unregistering all again", f"{SYSTEM}/unregister"),
    register_cuda("CUDA memory without a handle", {"device_id": 0, "byte_size": 64}),
    register_cuda("CUDA memory without a size", {"raw_handle": {"b64": "AAAA"}, "device_id": 0}),
    register_cuda("CUDA memory without a device", {"raw_handle": {"b64": "AA"}, "byte_size": 6}),
    register_cuda(
        "CUDA memory with a bad handle",
        {"raw_handle": {"b64": "AAAA"}, "device_id": 0, "byte_size": 64},
    ),
    register_cuda(
        "CUDA memory",
        {"raw_handle": {"b64": "A" * 86 + "=="}, "device_id": 0, "byte_size": 64},
    ),
    post("unregistering CUDA memory", f"{CUDA}/region/c/unregister"),
]
