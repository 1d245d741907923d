"""Answers with all that it was asked before: a line of JSON for each execution."""

import json

import numpy as np
import triton_python_backend_utils as pb_utils


def describe(request):
    numbers = pb_utils.get_input_tensor_by_name(request, "NUMBERS").as_numpy()
    text = pb_utils.get_input_tensor_by_name(request, "TEXT").as_numpy()
    return [numbers.tolist(), [[cell.decode() for cell in row] for row in text]]


class TritonPythonModel:
    def initialize(self, args):
        self.fails = json.loads(args["model_config"])["parameters"]["fails"]["string_value"]
        self.seen = []

    def execute(self, requests):
        if self.fails == "yes":
            raise ValueError("still cold")
        answer = np.array([["\n".join(self.seen)]], dtype=object)
        self.seen.append(json.dumps([describe(request) for request in requests]))
        return [
            pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor("SEEN", answer)])
            for _ in requests
        ]
