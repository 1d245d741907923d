"""Answers N times with the time of the monotonic clock, a few milliseconds apart."""

import time

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        for request in requests:
            sender = request.get_response_sender()
            n = int(pb_utils.get_input_tensor_by_name(request, "N").as_numpy()[0])
            for _ in range(n):
                time.sleep(0.005)
                now = np.array([time.monotonic_ns()], dtype=np.int64)
                tensor = pb_utils.Tensor("NOW", now)
                sender.send(pb_utils.InferenceResponse(output_tensors=[tensor]))
            sender.send(flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
