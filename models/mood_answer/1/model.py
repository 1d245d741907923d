"""What comes after a model of numbers: says a score in a word."""

import numpy as np
import triton_python_backend_utils as pb_utils


def name_of(score):
    if score > 0:
        return "happy"
    return "sad" if score < 0 else "neither"


class TritonPythonModel:
    def execute(self, requests):
        responses = []
        for request in requests:
            scores = pb_utils.get_input_tensor_by_name(request, "score").as_numpy()
            moods = [name_of(score) for score in scores.ravel()]
            array = np.array(moods, dtype=object).reshape(scores.shape)
            responses.append(pb_utils.InferenceResponse([pb_utils.Tensor("mood", array)]))
        return responses
