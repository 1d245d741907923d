"""Remembers: the total of the numbers in a sequence so far. All requests of a sequence come to the
same instance, with the same correlation id."""

import numpy as np
import triton_python_backend_utils as pb_utils

START = pb_utils.TRITONSERVER_REQUEST_FLAG_SEQUENCE_START
END = pb_utils.TRITONSERVER_REQUEST_FLAG_SEQUENCE_END


class TritonPythonModel:
    def initialize(self, args):
        self.totals = {}

    def execute(self, requests):
        return [self.respond(request) for request in requests]

    def respond(self, request):
        number = pb_utils.get_input_tensor_by_name(request, "number").as_numpy()
        sequence = request.correlation_id()
        before = 0 if request.flags() & START else self.totals.get(sequence, 0)
        total = before + number
        self.totals[sequence] = total
        if request.flags() & END:
            del self.totals[sequence]
        return pb_utils.InferenceResponse([pb_utils.Tensor("total", total.astype(np.int32))])
