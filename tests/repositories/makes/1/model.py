"""Makes an array of SIZE numbers and returns it; if it is to KEEP it, it holds on to it as well."""

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        self.kept = None

    def execute(self, requests):
        return [self.respond(request) for request in requests]

    def respond(self, request):
        size = pb_utils.get_input_tensor_by_name(request, "SIZE").as_numpy()[0]
        keep = pb_utils.get_input_tensor_by_name(request, "KEEP").as_numpy()[0]
        numbers = np.arange(size, dtype=np.float32)
        self.kept = numbers if keep else None
        return pb_utils.InferenceResponse([pb_utils.Tensor("NUMBERS", numbers)])
