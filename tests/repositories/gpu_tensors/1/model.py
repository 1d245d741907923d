"""Gives back its input as a tensor in a GPU's memory, made with the driver alone, and says what it
makes of that tensor."""

import ctypes

import numpy as np
import triton_python_backend_utils as pb_utils

CUDA = 2
FLOAT = 2


class Tensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("n_dims", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.c_void_p),
        ("byte_offset", ctypes.c_uint64),
    ]


class Managed(ctypes.Structure):
    _fields_ = [("tensor", Tensor), ("context", ctypes.c_void_p), ("release", ctypes.c_void_p)]


class Lent:
    """A region of a GPU's memory as a producer of DLPack capsules, until it is deleted."""

    def __init__(self, driver, values, device):
        self.driver = driver
        self.address = ctypes.c_uint64(0)
        assert driver.cuMemAlloc_v2(ctypes.byref(self.address), values.nbytes) == 0
        data = values.ctypes.data_as(ctypes.c_void_p)
        assert driver.cuMemcpyHtoD_v2(self.address, data, ctypes.c_size_t(values.nbytes)) == 0
        self.shape = (ctypes.c_int64 * 1)(values.size)
        tensor = Tensor(self.address.value, CUDA, device, 1, FLOAT, 32, 1, self.shape, None, 0)
        self.managed = Managed(tensor, None, None)

    def __dlpack_device__(self):
        return (CUDA, self.managed.tensor.device_id)

    def __dlpack__(self, stream=None):
        new = ctypes.pythonapi.PyCapsule_New
        new.restype = ctypes.py_object
        new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        return new(ctypes.addressof(self.managed), b"dltensor", None)


class TritonPythonModel:
    def initialize(self, args):
        self.driver = ctypes.CDLL("libcuda.so.1")
        self.driver.cuInit(0)
        context = ctypes.c_void_p()
        assert self.driver.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0) == 0
        assert self.driver.cuCtxSetCurrent(context) == 0
        self.lent = []

    def execute(self, requests):
        responses = []
        for request in requests:
            x = pb_utils.get_input_tensor_by_name(request, "x").as_numpy()
            self.lent.append(Lent(self.driver, x, 99 if x.size == 1 else 0))
            y = pb_utils.Tensor.from_dlpack("y", self.lent[-1])
            says = [str(y.is_cpu()), str(y.__dlpack_device__()), str(y.shape())]
            try:
                y.as_numpy()
            except pb_utils.TritonModelException as refusal:
                says.append(str(refusal))
            again = pb_utils.Tensor.from_dlpack("y", y)
            texts = pb_utils.Tensor("says", np.array(says, dtype=object))
            responses.append(pb_utils.InferenceResponse([again, texts]))
        return responses
