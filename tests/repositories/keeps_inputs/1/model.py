"""Keeps the array of every request and answers with the first element of each one so far.

SHARED says which of them lie in memory that is shared with the server.
"""

import numpy as np
import triton_python_backend_utils as pb_utils


def shared_ranges():
    with open("/proc/self/maps") as maps:
        lines = [line.split() for line in maps if "/memfd:" in line]
    return [[int(end, 16) for end in line[0].split("-")] for line in lines]


def is_shared(array):
    return any(start <= array.ctypes.data < end for start, end in shared_ranges())


class TritonPythonModel:
    def initialize(self, args):
        self.kept = []

    def execute(self, requests):
        responses = []
        for request in requests:
            self.kept.append(pb_utils.get_input_tensor_by_name(request, "INPUT0").as_numpy())
            for array in self.kept:
                assert (array == array[0]).all(), "a kept input has changed"
            firsts = np.array([array[0] for array in self.kept], dtype=np.float32)
            shared = np.array([is_shared(array) for array in self.kept])
            outputs = [pb_utils.Tensor("KEPT", firsts), pb_utils.Tensor("SHARED", shared)]
            responses.append(pb_utils.InferenceResponse(output_tensors=outputs))
        return responses
