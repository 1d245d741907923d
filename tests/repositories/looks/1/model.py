"""Looks at its input where it lies, and gives it back, in ways that request parameters choose.

ENDS are the first and the last element as they were, and SHARED says whether the input lies in
memory of the client. SAME is the input: all of it with -1 written to its beginning, or, with the
parameter

    whole   as it came
    part    as it came without its ends
    keep    as it came, and kept
    again   not this one, but that which was kept

With "cut" the client's memory is truncated before anybody looks.
"""

import json
import os

import numpy as np
import triton_python_backend_utils as pb_utils


def path_of(array):
    """The file that the array is mapped from; "" if it is none of a client."""
    with open("/proc/self/maps") as maps:
        for line in maps:
            ends, *_, path = line.split(maxsplit=5) if "/dev/shm/" in line else ("0-0", "")
            start, end = (int(end, 16) for end in ends.split("-"))
            if start <= array.ctypes.data < end:
                return path.strip()
    return ""


class TritonPythonModel:
    def initialize(self, args):
        self.kept = []

    def choose(self, array, wishes):
        """What to give back."""
        if "again" in wishes:
            return self.kept.pop()
        if "keep" in wishes:
            self.kept.append(array)
        elif "part" in wishes:
            return array[1:-1]
        elif "whole" not in wishes:
            array[0] = -1
        return array

    def answer(self, request):
        array = pb_utils.get_input_tensor_by_name(request, "INPUT0").as_numpy()
        wishes = json.loads(request.parameters())
        path = path_of(array)
        if "cut" in wishes:
            os.truncate(path, 0)
        outputs = [
            pb_utils.Tensor("ENDS", array[[0, -1]]),
            pb_utils.Tensor("SHARED", np.array([path != ""])),
            pb_utils.Tensor("SAME", self.choose(array, wishes)),
        ]
        texts = pb_utils.get_input_tensor_by_name(request, "TEXTS")
        if texts is not None:
            outputs.append(pb_utils.Tensor("TEXT", texts.as_numpy()[:1]))
        return pb_utils.InferenceResponse(output_tensors=outputs)

    def execute(self, requests):
        return [self.answer(request) for request in requests]
