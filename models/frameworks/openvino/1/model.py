"""A graph compiled by OpenVINO, made here from its operations; usually it comes from a file."""

import numpy as np
import openvino
import triton_python_backend_utils as pb_utils
from openvino import opset13 as ops


def make_graph():
    x = ops.parameter([-1, 3], np.float32, name="x")
    weights = np.array([[0.5], [0.25], [-0.125]], dtype=np.float32)
    y = ops.add(ops.matmul(x, ops.constant(weights), False, False), np.float32(1))
    return openvino.Model([y], [x], "linear")


class TritonPythonModel:
    def initialize(self, args):
        self.compiled = openvino.Core().compile_model(make_graph(), "CPU")

    def predict(self, x):
        return np.array(self.compiled(x)[0])

    def execute(self, requests):
        responses = []
        for request in requests:
            x = pb_utils.get_input_tensor_by_name(request, "x").as_numpy()
            y = pb_utils.Tensor("y", self.predict(x))
            responses.append(pb_utils.InferenceResponse(output_tensors=[y]))
        return responses
