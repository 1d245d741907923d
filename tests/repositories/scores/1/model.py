"""Gives its input back in several datatypes, some of which have labels."""

import numpy as np
import triton_python_backend_utils as pb_utils

DTYPES = {
    "SCORES": np.float32,
    "DOUBLES": np.float64,
    "HALVES": np.float16,
    "INTS": np.int64,
    "SHORTS": np.int16,
    "BYTES": np.uint8,
    "FLAGS": np.bool_,
    "TEXTS": np.object_,
}


def convert(values, name):
    if name == "TEXTS":
        return np.char.mod(b"%d", np.nan_to_num(values)).astype(np.object_)
    converted = values.astype(DTYPES[name])
    return converted[..., np.newaxis] if name == "SHORTS" else converted


class TritonPythonModel:
    def execute(self, requests):
        responses = []
        for request in requests:
            values = pb_utils.get_input_tensor_by_name(request, "INPUT0").as_numpy()
            with np.errstate(invalid="ignore"):
                tensors = [pb_utils.Tensor(name, convert(values, name)) for name in DTYPES]
            responses.append(pb_utils.InferenceResponse(output_tensors=tensors))
        return responses
