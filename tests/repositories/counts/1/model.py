"""Says how many requests it has executed, and repeats INPUT; fails when that is "fail"."""

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        self.count = 0

    def execute(self, requests):
        responses = []
        for request in requests:
            self.count += 1
            array = pb_utils.get_input_tensor_by_name(request, "INPUT").as_numpy()
            error = pb_utils.TritonError("as you wish") if array[0] == b"fail" else None
            count = pb_utils.Tensor("COUNT", np.array([self.count], dtype=np.int32))
            tensors = [] if error else [count, pb_utils.Tensor("ECHO", array)]
            responses.append(pb_utils.InferenceResponse(output_tensors=tensors, error=error))
        return responses
