"""Sends its input through a copy of `identity` named `asked` ten times over."""

import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def ask(self, tensor):
        request = pb_utils.InferenceRequest(
            model_name="asked", requested_output_names=["OUTPUT0"], inputs=[tensor]
        )
        response = request.exec()
        if response.has_error():
            raise pb_utils.TritonModelException(response.error().message())
        array = response.output_tensors()[0].as_numpy()
        return pb_utils.Tensor("INPUT0", array)

    def execute(self, requests):
        responses = []
        for request in requests:
            tensor = pb_utils.get_input_tensor_by_name(request, "INPUT0")
            for _ in range(10):
                tensor = self.ask(tensor)
            output = pb_utils.Tensor("OUTPUT0", tensor.as_numpy())
            responses.append(pb_utils.InferenceResponse([output]))
        return responses
