"""Shared memory of clients, registered and forgotten. What the keys name is there, 8192 bytes
long, while the cases are asked."""

from tritonclient.grpc import service_pb2 as pb

from grpc_requests.cases import given, tensor_parameter
from grpc_requests.control import call, raw
from http_corpus.memory import KEY, KEY_2, SIZE


def register(what, name="b", key=KEY, size=64, offset=0):
    request = pb.SystemSharedMemoryRegisterRequest(
        name=name, key=key, byte_size=size, offset=offset
    )
    return raw(f"registering {what}", "SystemSharedMemoryRegister", request)


def status(what, name=""):
    request = pb.SystemSharedMemoryStatusRequest(name=name)
    return raw(f"regions: {what}", "SystemSharedMemoryStatus", request)


def unregister(what, name=""):
    request = pb.SystemSharedMemoryUnregisterRequest(name=name)
    return raw(f"unregistering {what}", "SystemSharedMemoryUnregister", request)


def register_cuda(what, name="c", handle=bytes(64), device=0, size=64):
    request = pb.CudaSharedMemoryRegisterRequest(
        name=name, raw_handle=handle, device_id=device, byte_size=size
    )
    return raw(f"registering CUDA memory {what}", "CudaSharedMemoryRegister", request)


def unregister_cuda(what, name=""):
    request = pb.CudaSharedMemoryUnregisterRequest(name=name)
    return raw(f"unregistering CUDA memory: {what}", "CudaSharedMemoryUnregister", request)


def shared_input(what, size=8, offset=0, region="a"):
    request = given(raw=[])
    tensor_parameter(request, "shared_memory_region", "string_param", region)
    tensor_parameter(request, "shared_memory_byte_size", "int64_param", size)
    tensor_parameter(request, "shared_memory_offset", "int64_param", offset)
    return raw(f"shared input {what}", "ModelInfer", request)


def shared_output(what, size=8, offset=0, region="a"):
    request = given(outputs=["OUTPUT0"])
    tensor_parameter(request, "shared_memory_region", "string_param", region, "outputs")
    tensor_parameter(request, "shared_memory_byte_size", "int64_param", size, "outputs")
    tensor_parameter(request, "shared_memory_offset", "int64_param", offset, "outputs")
    return raw(f"shared output {what}", "ModelInfer", request)


CASES = [
    status("none"),
    status("an unknown one", "x"),
    raw("regions: no message", "SystemSharedMemoryStatus", b"\xff\xff\xff"),
    register("without a key", key=""),
    register("a key of nobody", key="/hippocamp-nobody"),
    register("slashes", key="///"),
    register("a path", key="/../x"),
    register("no bytes", size=0),
    register("more than there is", size=SIZE + 1),
    register("from the end", offset=SIZE),
    register("from beyond the end", offset=SIZE + 1),
    register("from an offset too large", offset=2**63),
    register("of a size too large", size=2**64 - 1),
    register("of a size and an offset that are too large", size=2**63, offset=2**63),
    raw("registering no message", "SystemSharedMemoryRegister", b"\xff\xff\xff"),
    register("good memory", "a", size=4096),
    register("a region again", "a", size=4096),
    register("a region with another key", "a", KEY_2),
    register("other memory", key=KEY_2[1:]),
    status("two"),
    status("one of two", "a"),
    raw(
        "regions: a system region as a CUDA one",
        "CudaSharedMemoryStatus",
        pb.CudaSharedMemoryStatusRequest(name="a"),
    ),
    shared_input("that is good"),
    shared_input("from an offset", offset=4080),
    shared_input("of no bytes", size=0),
    shared_input("of too many bytes", size=12),
    shared_input("of too few bytes", size=4),
    shared_input("beyond the region", offset=8192),
    shared_input("at the region's end", offset=4092),
    shared_input("of a negative size", size=-8),
    shared_input("from a negative offset", offset=-8),
    shared_input("of an unknown region", region="x"),
    shared_input("of a region without a name", region=""),
    shared_output("that is good"),
    shared_output("in more than it needs", size=64, offset=128),
    shared_output("in less than it needs", size=4),
    shared_output("of an unknown region", region="x"),
    shared_output("of no bytes", size=0),
    unregister_cuda("a system region", "a"),
    unregister("one", "b"),
    unregister("one twice", "b"),
    unregister("an unknown one", "x"),
    raw("unregistering no message", "SystemSharedMemoryUnregister", b"\xff\xff\xff"),
    status("one left"),
    unregister("all"),
    status("none left"),
    shared_input("of a region that was forgotten"),
    register("from an odd offset", "a", KEY_2, offset=8),
    unregister("all again"),
    register("without a name", name=""),
    status("one without a name"),
    unregister("it too"),
    # NVIDIA's client.
    call("client: registering", "register_system_shared_memory", name="d", key=KEY, byte_size=64),
    call("client: twice", "register_system_shared_memory", name="d", key=KEY, byte_size=64),
    call("client: regions", "get_system_shared_memory_status"),
    call("client: one region", "get_system_shared_memory_status", region_name="d"),
    call("client: an unknown region", "get_system_shared_memory_status", region_name="x"),
    call("client: unregistering one", "unregister_system_shared_memory", name="d"),
    call("client: unregistering", "unregister_system_shared_memory"),
    # Of GPUs.
    call("client: CUDA regions", "get_cuda_shared_memory_status"),
    call("client: an unknown CUDA region", "get_cuda_shared_memory_status", region_name="x"),
    call(
        "client: registering CUDA memory",
        "register_cuda_shared_memory",
        name="c",
        raw_handle=b"A" * 88,
        device_id=0,
        byte_size=64,
    ),
    register_cuda("without a name", name=""),
    register_cuda("without a handle", handle=b""),
    register_cuda("with a short handle", handle=b"AAAA"),
    register_cuda("of a GPU that is not there", device=99),
    register_cuda("of a GPU below zero", device=-1),
    register_cuda("of no bytes", size=0),
    raw("registering CUDA memory: no message", "CudaSharedMemoryRegister", b"\xff\xff\xff"),
    unregister_cuda("an unknown one", "c"),
    unregister_cuda("all"),
    call("client: unregistering CUDA memory", "unregister_cuda_shared_memory"),
]
