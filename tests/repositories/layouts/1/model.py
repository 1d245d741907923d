"""Outputs that do not lie in memory in C order."""

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        responses = []
        for request in requests:
            array = pb_utils.get_input_tensor_by_name(request, "INPUT0").as_numpy()
            outputs = {
                "TRANSPOSED": array.T,
                "STRIDED": array[:, ::2],
                "REVERSED": array[::-1],
                "FORTRAN": np.asfortranarray(array),
            }
            responses.append(
                pb_utils.InferenceResponse(
                    output_tensors=[pb_utils.Tensor(k, v) for k, v in outputs.items()]
                )
            )
        return responses
