"""Answers with the number of requests so far, tells the pipe FOLDER/started, and waits for what is
written into the pipe FOLDER/go: "end", "more" for another answer, or "cancel" for waiting until
nobody waits for the answer any more, which the pipe FOLDER/cancelled is told. With the parameter
`answer` false there is no first answer, and with `hold` false no waiting."""

import json
import os
import time

import numpy as np
import triton_python_backend_utils as pb_utils


def tell(path):
    with open(path, "w") as pipe:
        pipe.write("now")


class TritonPythonModel:
    def initialize(self, args):
        self.n = 0

    def answer(self, sender):
        n = pb_utils.Tensor("N", np.array([self.n], dtype=np.int32))
        sender.send(pb_utils.InferenceResponse(output_tensors=[n]))

    def execute(self, requests):
        for request in requests:
            self.n += 1
            parameters = json.loads(request.parameters())
            folder = pb_utils.get_input_tensor_by_name(request, "FOLDER").as_numpy()[0].decode()
            sender = request.get_response_sender()
            if parameters.get("answer", True):
                self.answer(sender)
            if parameters.get("hold", True):
                self.hold(request, sender, folder)
            sender.send(flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)

    def hold(self, request, sender, folder):
        tell(os.path.join(folder, "started"))
        with open(os.path.join(folder, "go")) as go:
            for word in go:
                if word == "more\n":
                    self.answer(sender)
                elif word == "cancel\n":
                    while not request.is_cancelled():
                        time.sleep(0.001)
                    tell(os.path.join(folder, "cancelled"))
                else:
                    return
