"""Answers once for each element of the input. A negative element is answered with an error; the
parameter `flag` says how the last response is told: "with" it, or (else) after it."""

import json

import numpy as np
import triton_python_backend_utils as pb_utils

FINAL = pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL


def response_of(value):
    if value < 0:
        return pb_utils.InferenceResponse(error=pb_utils.TritonError(f"no {value} here"))
    return pb_utils.InferenceResponse(
        output_tensors=[
            pb_utils.Tensor("VALUE", np.array([value], dtype=np.int32)),
            pb_utils.Tensor("TEXT", np.array([b"a", b"\xc3\xa4"] * int(value), dtype=object)),
        ]
    )


class TritonPythonModel:
    def execute(self, requests):
        for request in requests:
            sender = request.get_response_sender()
            values = pb_utils.get_input_tensor_by_name(request, "INPUT0").as_numpy()
            with_last = json.loads(request.parameters()).get("flag") == "with"
            for i, value in enumerate(values):
                last = with_last and i == len(values) - 1
                sender.send(response_of(value), flags=FINAL if last else 0)
            if not (with_last and len(values) > 0):
                sender.send(flags=FINAL)
