"""Answers with N texts of 256 KB, numbered, from a thread or, for N below zero, from execute; for 0
with how many texts it has sent so far."""

import threading

import numpy as np
import triton_python_backend_utils as pb_utils

FINAL = pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL
FILLING = b"x" * (256 << 10)


class TritonPythonModel:
    def initialize(self, args):
        self.n_sent = 0

    def response(self, text):
        sent = pb_utils.Tensor("SENT", np.array([self.n_sent], dtype=np.int32))
        return pb_utils.InferenceResponse(
            [pb_utils.Tensor("TEXT", np.array([text], dtype=object)), sent]
        )

    def flood(self, sender, n):
        for i in range(n):
            sender.send(self.response(b"%d " % i + FILLING))
            self.n_sent += 1
        sender.send(flags=FINAL)

    def execute(self, requests):
        for request in requests:
            n = int(pb_utils.get_input_tensor_by_name(request, "N").as_numpy()[0])
            sender = request.get_response_sender()
            if n > 0:
                threading.Thread(target=self.flood, args=(sender, n)).start()
            elif n < 0:
                self.flood(sender, -n)
            else:
                sender.send(self.response(b"none"), flags=FINAL)
