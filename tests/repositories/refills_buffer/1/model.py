"""Fills one buffer anew for every request and returns it: 256 KB, once made in initialize and once
in the first execute."""

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        self.buffer = np.empty(65536, dtype=np.float32)
        self.late_buffer = None

    def execute(self, requests):
        responses = []
        for request in requests:
            if self.late_buffer is None:
                self.late_buffer = np.empty(65536, dtype=np.float32)
            value = pb_utils.get_input_tensor_by_name(request, "INPUT0").as_numpy()[0]
            buffer = self.buffer if value % 2 == 0 else self.late_buffer
            buffer.fill(value)
            responses.append(
                pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor("OUTPUT0", buffer)])
            )
        return responses
