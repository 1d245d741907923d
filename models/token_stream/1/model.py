"""Repeats a prompt word by word, as a language model would: a decoupled model, which sends any
number of responses to a request, from a thread that outlives execute."""

import threading

import numpy as np
import triton_python_backend_utils as pb_utils


def send_words(sender, words):
    for word in words:
        if sender.is_cancelled():
            break
        text = pb_utils.Tensor("text_output", np.array([word + " "], dtype=object))
        sender.send(pb_utils.InferenceResponse(output_tensors=[text]))
    sender.send(flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)


class TritonPythonModel:
    def initialize(self, args):
        self.threads = []

    def execute(self, requests):
        self.threads = [thread for thread in self.threads if thread.is_alive()]
        for request in requests:
            prompt = pb_utils.get_input_tensor_by_name(request, "text_input").as_numpy()
            limit = pb_utils.get_input_tensor_by_name(request, "max_tokens")
            words = prompt.ravel()[0].decode().split()
            if limit is not None:
                words = words[: limit.as_numpy().ravel()[0]]
            thread = threading.Thread(
                target=send_words, args=(request.get_response_sender(), words)
            )
            thread.start()
            self.threads.append(thread)

    def finalize(self):
        for thread in self.threads:
            thread.join()
