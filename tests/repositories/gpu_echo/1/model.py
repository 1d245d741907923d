"""Gives back its input as it came, by DLPack, and says where its inputs were. It can be told to keep
the input, and to give back the one that it has kept; "hide" in its name has it see one GPU alone."""

import json
import os

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        if "hide" in args["model_name"]:
            os.environ["CUDA_VISIBLE_DEVICES"] = "1"
        self.kept = None

    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        wish = json.loads(request.parameters()).get("wish")
        x = pb_utils.get_input_tensor_by_name(request, "x")
        says = [f"{t.name()} {t.is_cpu()} {t.__dlpack_device__()}" for t in request.inputs()]
        if wish == "again":
            x, self.kept = self.kept, None
        elif wish == "keep":
            self.kept = x
        y = pb_utils.Tensor.from_dlpack("y", x.to_dlpack())
        texts = pb_utils.Tensor("says", np.array([*says, str(os.getpid())], dtype=object))
        return pb_utils.InferenceResponse([y, texts])
