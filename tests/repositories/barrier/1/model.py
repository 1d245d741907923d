"""Four instances; a request is answered only when all four are executing one at the same time."""

import os
import time

import numpy as np
import triton_python_backend_utils as pb_utils

N_INSTANCES = 4
GIVE_UP_S = 30


class TritonPythonModel:
    def initialize(self, args):
        self.name = args["model_instance_name"]

    def meet(self, folder):
        open(os.path.join(folder, self.name), "w").close()
        give_up_at = time.monotonic() + GIVE_UP_S
        while len(os.listdir(folder)) < N_INSTANCES:
            if time.monotonic() > give_up_at:
                raise TimeoutError(f"{self.name} met only {os.listdir(folder)}")
            time.sleep(0.005)

    def execute(self, requests):
        responses = []
        for request in requests:
            folder = pb_utils.get_input_tensor_by_name(request, "FOLDER").as_numpy()[0].decode()
            self.meet(folder)
            outputs = [
                pb_utils.Tensor("PID", np.array([os.getpid()], dtype=np.int32)),
                pb_utils.Tensor("INSTANCE", np.array([self.name], dtype=object)),
            ]
            responses.append(pb_utils.InferenceResponse(output_tensors=outputs))
        return responses
