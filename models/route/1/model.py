"""Business logic: asks one of two other models, whichever can do something with the text. Numbers go
to `statistics`, names to `greeting`."""

import numpy as np
import triton_python_backend_utils as pb_utils


def ask(model_name, output, tensor):
    """The first element of an output of another model; its error is raised."""
    request = pb_utils.InferenceRequest(
        model_name=model_name, requested_output_names=[output], inputs=[tensor]
    )
    response = request.exec()
    if response.has_error():
        raise pb_utils.TritonModelException(response.error().message())
    return pb_utils.get_output_tensor_by_name(response, output).as_numpy().ravel()[0]


def answer(text):
    try:
        values = np.array([float(word) for word in text.split()])
    except ValueError:
        name = np.array([[text]], dtype=object)
        return ask("greeting", "greeting", pb_utils.Tensor("name", name)).decode()
    mean = ask("statistics", "mean", pb_utils.Tensor("values", values))
    return f"The mean is {mean:g}."


class TritonPythonModel:
    def execute(self, requests):
        return [self.respond(request) for request in requests]

    def respond(self, request):
        text = pb_utils.get_input_tensor_by_name(request, "text").as_numpy()[0].decode()
        try:
            array = np.array([answer(text)], dtype=object)
        except pb_utils.TritonModelException as error:
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(str(error)))
        return pb_utils.InferenceResponse([pb_utils.Tensor("answer", array)])
