"""Imports its neighbours in every way that models use."""

import numpy as np
import triton_python_backend_utils as pb_utils

import in_model_folder
import in_version_folder
from . import relative
from .package import inner


class TritonPythonModel:
    def execute(self, requests):
        names = [in_version_folder.NAME, in_model_folder.NAME, relative.NAME, inner.NAME]
        output = pb_utils.Tensor("NAMES", np.array(names, dtype=object))
        return [pb_utils.InferenceResponse(output_tensors=[output]) for _ in requests]
