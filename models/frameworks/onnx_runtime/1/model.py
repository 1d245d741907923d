"""A graph run by ONNX Runtime, made here by the package onnx; usually it comes from a file."""

import numpy as np
import onnxruntime
import triton_python_backend_utils as pb_utils
from onnx import TensorProto, helper, numpy_helper


def make_graph():
    weights = np.array([[0.5], [0.25], [-0.125]], dtype=np.float32)
    constants = [
        numpy_helper.from_array(weights, "w"),
        numpy_helper.from_array(np.ones(1, dtype=np.float32), "b"),
    ]
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["x", "w", "b"], ["y"])],
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1])],
        constants,
    )
    opset = helper.make_opsetid("", 17)
    return helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()


class TritonPythonModel:
    def initialize(self, args):
        providers = ["CPUExecutionProvider"]
        self.session = onnxruntime.InferenceSession(make_graph(), providers=providers)

    def predict(self, x):
        return self.session.run(["y"], {"x": x})[0]

    def execute(self, requests):
        responses = []
        for request in requests:
            x = pb_utils.get_input_tensor_by_name(request, "x").as_numpy()
            y = pb_utils.Tensor("y", self.predict(x))
            responses.append(pb_utils.InferenceResponse(output_tensors=[y]))
        return responses
