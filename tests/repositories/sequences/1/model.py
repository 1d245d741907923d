"""Adds up the inputs of each sequence. CONTROLS are what it was told of start, end and readiness;
READY is the readiness of all requests of the execution, in their order."""

import numpy as np
import triton_python_backend_utils as pb_utils


def value(request, name):
    tensor = pb_utils.get_input_tensor_by_name(request, name)
    return tensor.as_numpy().flatten()[0]


class TritonPythonModel:
    def initialize(self, args):
        self.sums = {}
        self.instance = args["model_instance_name"]

    def add(self, request, ready):
        name = value(request, "ID")
        name = name.decode() if isinstance(name, bytes) else str(name)
        flags = [int(value(request, "START")), int(value(request, "END")), ready]
        if not ready:
            return name, flags, 0
        if flags[0]:
            self.sums[name] = 0
        total = self.sums[name] = self.sums[name] + int(value(request, "INPUT"))
        if flags[1]:
            del self.sums[name]
        return name, flags, total

    def execute(self, requests):
        ready = [int(value(request, "IS_READY")) for request in requests]
        responses = []
        for request, is_ready in zip(requests, ready):
            name, flags, total = self.add(request, is_ready)
            tensors = [
                pb_utils.Tensor("SUM", np.array([[total]], dtype=np.int32)),
                pb_utils.Tensor("CONTROLS", np.array([flags], dtype=np.int32)),
                pb_utils.Tensor("ID", np.array([[name]], dtype=object)),
                pb_utils.Tensor("READY", np.array([ready], dtype=np.int32)),
                pb_utils.Tensor("INSTANCE", np.array([[self.instance]], dtype=object)),
            ]
            responses.append(pb_utils.InferenceResponse(output_tensors=tensors))
        return responses
