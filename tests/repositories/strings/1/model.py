"""BYTES in every form that NumPy has for them."""

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        responses = []
        for request in requests:
            values = pb_utils.get_input_tensor_by_name(request, "INPUT0").as_numpy()
            assert values.dtype == np.object_
            assert all(type(value) is bytes for value in values)
            text = np.array([value.decode("utf-8", "replace") for value in values], dtype=object)
            outputs = {
                "OBJECT": values,
                "FIXED": values.astype(np.bytes_),
                "TEXT": text,
                "EMPTY": np.array([], dtype=object),
            }
            responses.append(
                pb_utils.InferenceResponse(
                    output_tensors=[pb_utils.Tensor(k, v) for k, v in outputs.items()]
                )
            )
        return responses
