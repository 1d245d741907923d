"""Says of each request in which execution it ran, with how many requests, and at which place of
the list. A request with FOLDER is held as in the model `gate`."""

import os

import numpy as np
import triton_python_backend_utils as pb_utils


def hold(folder):
    with open(os.path.join(folder, "started"), "w") as started:
        started.write("started")
    with open(os.path.join(folder, "go")) as go:
        go.read()


class TritonPythonModel:
    def initialize(self, args):
        self.n_executions = 0

    def execute(self, requests):
        self.n_executions += 1
        responses = []
        for place, request in enumerate(requests):
            if folder := pb_utils.get_input_tensor_by_name(request, "FOLDER"):
                hold(folder.as_numpy().flatten()[0].decode())
            rows = len(pb_utils.get_input_tensor_by_name(request, "IN").as_numpy())
            values = {"EXECUTION": self.n_executions, "REQUESTS": len(requests), "PLACE": place}
            responses.append(
                pb_utils.InferenceResponse(
                    output_tensors=[
                        pb_utils.Tensor(name, np.full((rows, 1), value, dtype=np.int32))
                        for name, value in values.items()
                    ]
                )
            )
        return responses
