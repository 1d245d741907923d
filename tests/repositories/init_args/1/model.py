"""Answers with what initialize got and what the module knows of itself, as JSON."""

import json
import os
import sys
import threading

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        self.facts = {
            "args": args,
            "types": sorted({type(value).__name__ for value in args.values()}),
            "module": __name__,
            "model_dir": pb_utils.get_model_dir(),
            "argv": sys.argv,
            "path": sys.path,
            "cwd": os.getcwd(),
            "main_thread": threading.current_thread() is threading.main_thread(),
        }

    def execute(self, requests):
        text = np.array([[json.dumps(self.facts)]], dtype=object)
        output = pb_utils.Tensor("ARGS", text)
        return [pb_utils.InferenceResponse(output_tensors=[output]) for _ in requests]
