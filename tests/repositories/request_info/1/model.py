"""Answers with what a request says of itself, as JSON. It always offers both outputs, whatever was
asked for."""

import json

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        responses = []
        for request in requests:
            info = {
                "id": request.request_id(),
                "correlation_id": request.correlation_id(),
                "flags": request.flags(),
                "timeout": request.timeout(),
                "parameters": json.loads(request.parameters()),
                "outputs": sorted(request.requested_output_names()),
            }
            responses.append(
                pb_utils.InferenceResponse(
                    output_tensors=[
                        pb_utils.Tensor("INFO", np.array([json.dumps(info)], dtype=object)),
                        pb_utils.Tensor("UNUSED", np.array([7], dtype=np.int32)),
                    ]
                )
            )
        return responses
