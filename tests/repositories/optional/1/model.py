"""Names the inputs that a request brought, in alphabetical order; two of three are optional."""

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        responses = []
        for request in requests:
            names = sorted(tensor.name() for tensor in request.inputs())
            for name in "ABC":
                found = pb_utils.get_input_tensor_by_name(request, name) is not None
                assert found == (name in names)
            given = pb_utils.Tensor("GIVEN", np.array(names, dtype=object))
            responses.append(pb_utils.InferenceResponse(output_tensors=[given]))
        return responses
