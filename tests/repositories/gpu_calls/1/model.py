"""Has another model answer, and says where the answer's tensors are. The parameters say which model,
and where the answer is preferred."""

import json

import numpy as np
import triton_python_backend_utils as pb_utils

PREFERENCES = {
    "cpu": {"preferred_memory": pb_utils.PreferredMemory(pb_utils.TRITONSERVER_MEMORY_CPU)},
    "gpu": {"preferred_memory": pb_utils.PreferredMemory(pb_utils.TRITONSERVER_MEMORY_GPU, 0)},
    "nowhere": {"preferred_memory": pb_utils.PreferredMemory(pb_utils.TRITONSERVER_MEMORY_GPU, 99)},
    "none": {},
}


class TritonPythonModel:
    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        wishes = json.loads(request.parameters())
        call = pb_utils.InferenceRequest(
            model_name="gpu_echo",
            inputs=request.inputs(),
            requested_output_names=["y", "says"],
            **PREFERENCES[wishes["prefers"]],
        )
        answer = call.exec()
        assert not answer.has_error(), answer.error().message()
        y = pb_utils.get_output_tensor_by_name(answer, "y")
        says = pb_utils.get_output_tensor_by_name(answer, "says")
        if not y.is_cpu():
            y = pb_utils.Tensor.from_dlpack("y", y)
        texts = [f"{t.name()} {t.is_cpu()} {t.__dlpack_device__()}" for t in (y, says)]
        return pb_utils.InferenceResponse(
            [y, pb_utils.Tensor("says", np.array(texts, dtype=object))]
        )
