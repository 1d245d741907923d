"""Answers with the word in the file beside it, as it was when it was loaded, and its process."""

import os

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        with open(os.path.join(os.path.dirname(__file__), "word")) as file:
            self.word = file.read().strip()
        if self.word == "broken":
            raise pb_utils.TritonModelException("the word is broken")

    def execute(self, requests):
        outputs = [
            pb_utils.Tensor("WORD", np.array([self.word.encode()], dtype=np.object_)),
            pb_utils.Tensor("PID", np.array([os.getpid()], dtype=np.int32)),
        ]
        return [pb_utils.InferenceResponse(output_tensors=outputs) for _ in requests]
