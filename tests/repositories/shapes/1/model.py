"""Returns its inputs, and says in which shapes it saw them."""

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        responses = []
        for request in requests:
            names = ("FLAT", "OPEN", "ONE")
            arrays = [pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in names]
            seen = " ".join(str(list(array.shape)).replace(" ", "") for array in arrays)
            tensors = [pb_utils.Tensor(f"{name}_OUT", array) for name, array in zip(names, arrays)]
            tensors.append(
                pb_utils.Tensor("SEEN", np.array([[seen]] * len(arrays[0]), dtype=object))
            )
            responses.append(pb_utils.InferenceResponse(output_tensors=tensors))
        return responses
