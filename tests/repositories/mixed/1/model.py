"""Gives back numbers, doubled, and texts. If BLOCKS or OBJECTS is asked for: how many blocks of
memory and how many tracked objects Python has after a collection."""

import gc
import sys

import numpy as np
import triton_python_backend_utils as pb_utils


def count():
    gc.collect()
    numbers = {"BLOCKS": sys.getallocatedblocks(), "OBJECTS": len(gc.get_objects())}
    return [pb_utils.Tensor(name, np.array([n])) for name, n in numbers.items()]


class TritonPythonModel:
    def execute(self, requests):
        responses = []
        for request in requests:
            numbers = pb_utils.get_input_tensor_by_name(request, "NUMBERS").as_numpy()
            texts = pb_utils.get_input_tensor_by_name(request, "TEXTS")
            outputs = [pb_utils.Tensor("NUMBERS", numbers * 2)]
            if texts is not None:
                outputs.append(pb_utils.Tensor("TEXTS", texts.as_numpy()))
            if "BLOCKS" in request.requested_output_names():
                outputs += count()
            responses.append(pb_utils.InferenceResponse(outputs))
        return responses
