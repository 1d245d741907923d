"""The server's kernels, launched by CUDA's driver, whichever that is."""

import contextlib
import ctypes

import numpy as np

BLOCK = 256

NUMBERS = {"f32": 0, "f64": 1, "f16": 2, "bf16": 3}
_IN_ORDER = "nothing relu leaky_relu gelu gelu_tanh tanh sigmoid silu norm softmax"
OPERATIONS = {name: i for i, name in enumerate(_IN_ORDER.split())}


def _fields(addresses, real, words):
    return [
        *((name, ctypes.c_uint64) for name in addresses.split()),
        (real, ctypes.c_double),
        *((name, ctypes.c_uint32) for name in words.split()),
    ]


class Linear(ctypes.Structure):
    """struct gpu_linear of parameters.h."""

    _fields_ = _fields(
        "x weights scales bias y",
        "slope",
        "n_rows n_in n_out n_stored x_stride weights_stride y_stride y_number operation n_split",
    )


class Apply(ctypes.Structure):
    """struct gpu_apply of parameters.h."""

    _fields_ = _fields(
        "x weights bias y",
        "parameter",
        "n_rows n n_stored x_stride y_stride x_number y_number operation",
    )


class CudaError(Exception):
    pass


class Cuda:
    """A GPU, with the kernels of a file."""

    def __init__(self, driver, kernels):
        self._driver = ctypes.CDLL(str(driver))
        self._call("cuInit", 0)
        context, self._module = ctypes.c_void_p(), ctypes.c_void_p()
        device = ctypes.c_int()
        self._call("cuDeviceGet", ctypes.byref(device), 0)
        self._call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        self._call("cuCtxSetCurrent", context)
        self._call("cuModuleLoad", ctypes.byref(self._module), str(kernels).encode())

    def _call(self, name, *arguments):
        result = getattr(self._driver, name)(*arguments)
        if result != 0:
            text = ctypes.c_char_p()
            self._driver.cuGetErrorName(result, ctypes.byref(text))
            raise CudaError(f"{name}: {(text.value or b'?').decode()}")

    @contextlib.contextmanager
    def memory(self):
        """A function that copies arrays to the GPU and returns where they are; None is nowhere."""
        addresses = []

        def put(array):
            if array is None:
                return 0
            array = np.ascontiguousarray(array)
            address = ctypes.c_uint64()
            self._call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(array.nbytes))
            addresses.append(address)
            data = ctypes.c_void_p(array.ctypes.data)
            self._call("cuMemcpyHtoD_v2", address, data, ctypes.c_size_t(array.nbytes))
            return address.value

        try:
            yield put
        finally:
            for address in addresses:
                self._call("cuMemFree_v2", address)

    def get(self, address, like):
        """An array at ADDRESS, of the form of another."""
        array = np.empty_like(like)
        data = ctypes.c_void_p(array.ctypes.data)
        self._call("cuMemcpyDtoH_v2", data, ctypes.c_uint64(address), ctypes.c_size_t(array.nbytes))
        return array

    def launch(self, name, parameters, grid_x, grid_y=1):
        """Runs a kernel to its end."""
        function, stream = ctypes.c_void_p(), ctypes.c_void_p()
        self._call("cuModuleGetFunction", ctypes.byref(function), self._module, name.encode())
        self._call("cuStreamCreate", ctypes.byref(stream), 0)
        given = (ctypes.c_void_p * 1)(ctypes.addressof(parameters))
        try:
            self._call(
                "cuLaunchKernel",
                *(function, grid_x, grid_y, 1, BLOCK, 1, 1, 0, stream, given, None),
            )
            self._call("cuStreamSynchronize", stream)
        finally:
            self._driver.cuStreamDestroy_v2(stream)
