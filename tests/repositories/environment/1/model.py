"""Answers with what it finds around it: its interpreter, packages and environment, as JSON."""

import json
import os
import pathlib
import shutil
import sys

import numpy as np
import triton_python_backend_utils as pb_utils

try:
    import colour  # which some environments have

    COLOUR = colour.NAME
except ImportError:
    COLOUR = None


class TritonPythonModel:
    def initialize(self, args):
        self.facts = {
            "args": args,
            "module": __name__,
            "file": __file__,
            "model_dir": pb_utils.get_model_dir(),
            "path": sys.path,
            "prefix": sys.prefix,
            "version": ".".join(map(str, sys.version_info[:2])),
            "numpy": np.__version__,
            "colour": COLOUR,
            "variables": {name: os.environ.get(name) for name in ("PATH", "VIRTUAL_ENV")},
            "python": shutil.which("python3") or shutil.which("python"),
            "pid": os.getpid(),
        }

    def execute(self, requests):
        self.facts["comm"] = pathlib.Path("/proc/self/comm").read_text().strip()
        output = pb_utils.Tensor("FACTS", np.array([json.dumps(self.facts)], dtype=object))
        return [pb_utils.InferenceResponse(output_tensors=[output]) for _ in requests]
