"""Identity with a batch dimension; ROWS says, for each row, how many rows its request had."""

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        responses = []
        for request in requests:
            array = pb_utils.get_input_tensor_by_name(request, "INPUT0").as_numpy()
            rows = np.full((len(array), 1), len(array), dtype=np.int32)
            responses.append(
                pb_utils.InferenceResponse(
                    output_tensors=[
                        pb_utils.Tensor("OUTPUT0", array),
                        pb_utils.Tensor("ROWS", rows),
                    ]
                )
            )
        return responses
