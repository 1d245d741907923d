"""Says that it is ready in the way that its last request asked for."""

import asyncio
import threading

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        self.answer = "true"
        self.calls = 0
        self.awake = threading.Event()

    def is_ready(self):
        self.calls += 1
        if self.answer == "raise":
            raise ValueError("no coffee")
        if self.answer == "wait":
            self.awake.wait()
        if self.answer == "coroutine":
            return self.is_ready_later()
        return {"false": False, "number": 1}.get(self.answer, True)

    async def is_ready_later(self):
        await asyncio.sleep(0.01)
        return True

    def execute(self, requests):
        responses = []
        for request in requests:
            self.answer = request.inputs()[0].as_numpy()[0].decode()
            if self.answer != "wait":
                self.awake.set()
            calls = pb_utils.Tensor("CALLS", np.array([self.calls], dtype=np.int32))
            responses.append(pb_utils.InferenceResponse(output_tensors=[calls]))
        return responses
