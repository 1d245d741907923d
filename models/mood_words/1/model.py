"""What comes before a model of numbers: counts the happy and sad words of texts, and their marks of
exclamation."""

import re

import numpy as np
import triton_python_backend_utils as pb_utils

HAPPY = {"good", "glad", "happy", "love", "wonderful"}
SAD = {"bad", "sad", "sorry", "hate", "terrible"}


def count(text):
    words = re.findall(r"\w+", text.lower())
    return [
        sum(word in HAPPY for word in words),
        sum(word in SAD for word in words),
        text.count("!"),
    ]


class TritonPythonModel:
    def execute(self, requests):
        responses = []
        for request in requests:
            texts = pb_utils.get_input_tensor_by_name(request, "text").as_numpy()
            counts = np.array([count(text.decode()) for text in texts.ravel()], dtype=np.float32)
            responses.append(pb_utils.InferenceResponse([pb_utils.Tensor("counts", counts)]))
        return responses
