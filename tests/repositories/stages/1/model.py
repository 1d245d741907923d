"""Fails in initialize or in finalize, as the parameter fails_in of its config.pbtxt says."""

import json
import os
import signal

import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        parameters = json.loads(args["model_config"])["parameters"]
        self.fails_in = parameters["fails_in"]["string_value"]
        if self.fails_in == "initialize":
            raise ValueError("no weights today")
        if self.fails_in == "initialize-by-signal":
            os.kill(os.getpid(), signal.SIGKILL)

    def execute(self, requests):
        responses = []
        for request in requests:
            array = pb_utils.get_input_tensor_by_name(request, "INPUT0").as_numpy()
            responses.append(
                pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor("OUTPUT0", array)])
            )
        return responses

    def finalize(self):
        print("stages: finalize was called", flush=True)
        if self.fails_in == "finalize":
            raise ValueError("could not say goodbye")
