"""A coroutine that waits until N requests are in it at a time, then asks another model, and answers
how many there were at most since the last one was gone. For N below zero it raises when the rest
has come."""

import asyncio

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        self.inside = 0
        self.most = 0
        self.changed = None

    async def meet(self, n):
        self.changed = self.changed or asyncio.Condition()
        async with self.changed:
            self.most = self.inside = self.inside + 1
            self.changed.notify_all()
            await self.changed.wait_for(lambda: self.most >= n)

    async def execute(self, requests):
        responses = []
        for request in requests:
            n = int(pb_utils.get_input_tensor_by_name(request, "N").as_numpy()[0])
            await self.meet(abs(n))
            most = self.most
            self.inside -= 1
            if n < 0:
                raise ValueError("one that raises")
            call = pb_utils.InferenceRequest(
                model_name="identity",
                requested_output_names=["OUTPUT0"],
                inputs=[pb_utils.Tensor("INPUT0", np.array([most], dtype=np.float32))],
            )
            answer = await call.async_exec()
            value = answer.output_tensors()[0].as_numpy().astype(np.int32)
            responses.append(pb_utils.InferenceResponse([pb_utils.Tensor("MOST", value)]))
        return responses
