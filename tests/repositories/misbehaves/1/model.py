"""Does in execute what models should not do, or answers with an error, as HOW says."""

import sys

import numpy as np
import triton_python_backend_utils as pb_utils


def answer():
    output = pb_utils.Tensor("OUTPUT0", np.array([1], dtype=np.int32))
    return pb_utils.InferenceResponse(output_tensors=[output])


def failure(code_name):
    error = pb_utils.TritonError(
        f"{code_name} from the model", getattr(pb_utils.TritonError, code_name)
    )
    return pb_utils.InferenceResponse(output_tensors=[], error=error)


def raise_deep_inside():
    raise ValueError('the model could not: "quoted", \\ and é')


class TritonPythonModel:
    def execute(self, requests):
        how = pb_utils.get_input_tensor_by_name(requests[0], "HOW").as_numpy()[0].decode()
        if how == "raise":
            raise_deep_inside()
        if how == "raise-model-exception":
            raise pb_utils.TritonModelException("a model exception")
        if how == "exit":
            sys.exit(5)
        if how.startswith("error:"):
            return [failure(how[len("error:") :]) for _ in requests]
        if how == "default-error":
            error = pb_utils.TritonError("without a code")
            return [pb_utils.InferenceResponse(error=error) for _ in requests]
        if how == "tuple":
            return tuple(answer() for _ in requests)
        if how == "string":
            return "no list"
        if how == "too-few":
            return []
        if how == "too-many":
            return [answer() for _ in range(len(requests) + 1)]
        if how == "wrong-element":
            return ["no response" for _ in requests]
        if how == "missing-output":
            return [pb_utils.InferenceResponse(output_tensors=[]) for _ in requests]
        if how == "unknown-output":
            output = pb_utils.Tensor("NOT_IN_CONFIG", np.array([1], dtype=np.int32))
            return [pb_utils.InferenceResponse(output_tensors=[output]) for _ in requests]
        if how == "list-as-tensor":
            return [pb_utils.Tensor("OUTPUT0", [1, 2, 3])]
        if how == "complex-dtype":
            return [pb_utils.Tensor("OUTPUT0", np.array([1j]))]
        return [answer() for _ in requests]
