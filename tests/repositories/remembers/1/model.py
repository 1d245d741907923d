"""Adds up the inputs of each sequence and lists them, with nothing of its own but what the server
gives it as states: TOTAL and LOG. What it gives back as LOG is also an output of the model.

An input of -1 is an error, -2 ends the process, -3 leaves the states as they are, -4 gives a TOTAL
of the wrong kind.
"""

import os

import numpy as np
import triton_python_backend_utils as pb_utils


def array_of(request, name):
    return pb_utils.get_input_tensor_by_name(request, name).as_numpy()


class TritonPythonModel:
    def initialize(self, args):
        self.instance = args["model_instance_name"]

    def answer(self, request):
        value = array_of(request, "INPUT")
        total = array_of(request, "TOTAL")
        log = array_of(request, "LOG_SO_FAR")
        instance = pb_utils.Tensor("INSTANCE", np.array([[self.instance]], dtype=object))
        if value[0, 0] == -1:
            return pb_utils.InferenceResponse(error=pb_utils.TritonError("as it was told"))
        if value[0, 0] == -3:
            tensors = [pb_utils.Tensor("SUM", total.astype(np.int32)), instance]
            return pb_utils.InferenceResponse(output_tensors=tensors)
        total += value  # in place: what was given is the model's own
        log = np.concatenate([log, value], axis=1)
        if value[0, 0] == -2:
            os._exit(1)
        kept = total.astype(np.float32) if value[0, 0] == -4 else total
        tensors = [
            pb_utils.Tensor("SUM", total.astype(np.int32)),
            pb_utils.Tensor("NEW_TOTAL", kept),
            pb_utils.Tensor("LOG", log),
            instance,
        ]
        return pb_utils.InferenceResponse(output_tensors=tensors)

    def execute(self, requests):
        return [self.answer(request) for request in requests]
