"""Holds a request for as long as a test wants: tells the pipe FOLDER/started that it has begun and
goes on when something is written into the pipe FOLDER/go."""

import os

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        responses = []
        for request in requests:
            folder = pb_utils.get_input_tensor_by_name(request, "FOLDER").as_numpy()[0].decode()
            with open(os.path.join(folder, "started"), "w") as started:
                started.write("started")
            with open(os.path.join(folder, "go")) as go:
                go.read()
            done = pb_utils.Tensor("DONE", np.array([1], dtype=np.int32))
            responses.append(pb_utils.InferenceResponse(output_tensors=[done]))
        return responses

    def finalize(self):
        print("gate: finalize was called")
