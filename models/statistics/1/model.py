"""Mean and standard deviation of a list of numbers, without a config.pbtxt: the model says itself
what it takes and gives."""

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    @staticmethod
    def auto_complete_config(config):
        config.add_input({"name": "values", "data_type": "TYPE_FP64", "dims": [-1]})
        config.add_output({"name": "mean", "data_type": "TYPE_FP64", "dims": [1]})
        config.add_output({"name": "deviation", "data_type": "TYPE_FP64", "dims": [1]})
        config.set_max_batch_size(0)
        return config

    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        values = pb_utils.get_input_tensor_by_name(request, "values").as_numpy()
        if values.size == 0:
            error = pb_utils.TritonError("there must be a value", pb_utils.TritonError.INVALID_ARG)
            return pb_utils.InferenceResponse(error=error)
        mean = pb_utils.Tensor("mean", np.array([values.mean()]))
        deviation = pb_utils.Tensor("deviation", np.array([values.std()]))
        return pb_utils.InferenceResponse(output_tensors=[mean, deviation])
