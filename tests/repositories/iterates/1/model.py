"""Wants to see a request as often as ROUNDS says before it answers how often it has."""

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        self.seen = {}

    def execute(self, requests):
        responses = []
        for request in requests:
            rounds = pb_utils.get_input_tensor_by_name(request, "ROUNDS").as_numpy().flatten()[0]
            name = request.correlation_id()
            self.seen[name] = self.seen.get(name, 0) + 1
            if self.seen[name] < rounds:
                request.set_release_flags(pb_utils.TRITONSERVER_REQUEST_RELEASE_RESCHEDULE)
                responses.append(None)
                continue
            seen = np.array([[self.seen.pop(name)]], dtype=np.int32)
            responses.append(
                pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor("SEEN", seen)])
            )
        return responses
