"""Greets by name: strings in and out. They arrive as bytes, in an array of dtype object."""

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        responses = []
        for request in requests:
            names = pb_utils.get_input_tensor_by_name(request, "name").as_numpy()
            greetings = [f"Hello, {name.decode()}!" for name in names.ravel()]
            text = np.array(greetings, dtype=object).reshape(names.shape)
            length = np.array([len(greeting) for greeting in greetings], dtype=np.int32)
            responses.append(
                pb_utils.InferenceResponse(
                    output_tensors=[
                        pb_utils.Tensor("greeting", text),
                        pb_utils.Tensor("length", length.reshape(names.shape)),
                    ]
                )
            )
        return responses
