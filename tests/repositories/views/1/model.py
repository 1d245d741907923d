"""Tells in which mapped file its input lies, and then writes over it."""

import numpy as np
import triton_python_backend_utils as pb_utils


def file_at(address):
    with open("/proc/self/maps") as maps:
        for line in maps:
            places, _, _, _, _, *path = line.split(maxsplit=5)
            begin, end = (int(place, 16) for place in places.split("-"))
            if begin <= address < end:
                return path[0].strip() if path else ""
    return ""


class TritonPythonModel:
    def execute(self, requests):
        responses = []
        for request in requests:
            x = pb_utils.get_input_tensor_by_name(request, "X").as_numpy()
            total = np.array([x.sum()], dtype=np.float32)
            file = np.array([file_at(x.ctypes.data)], dtype=object)
            x[:] = -1
            responses.append(
                pb_utils.InferenceResponse(
                    [pb_utils.Tensor("SUM", total), pb_utils.Tensor("FILE", file)]
                )
            )
        return responses
