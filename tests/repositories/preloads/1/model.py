"""Loads its weights once for all instances, and does in preload what the parameter `mode` says."""

import json
import os
import random
import threading

import numpy as np
import triton_python_backend_utils as pb_utils

WEIGHTS_SIZE = 64 << 20


class TritonPythonModel:
    @classmethod
    def preload(cls, args):
        mode = json.loads(args["model_config"])["parameters"]["mode"]["string_value"]
        cls.args = args
        cls.preloaded_by = os.getpid()
        cls.weights = np.ones(WEIGHTS_SIZE // 8)
        if mode == "raises":
            raise ValueError("no weights today")
        if mode == "multiplies":
            matrix = np.ones((512, 512))
            assert (matrix @ matrix)[0, 0] == 512
        if mode == "leaves a thread":
            threading.Thread(target=threading.Event().wait, name="lazy", daemon=True).start()

    def initialize(self, args):
        self.instance = args["model_instance_name"]

    def execute(self, requests):
        matrix = np.ones((64, 64))
        facts = {
            "pid": os.getpid(),
            "instance": self.instance,
            "args": sorted(self.args),
            "preloaded_by": self.preloaded_by,
            "sum": float(self.weights.sum()),
            "product": float((matrix @ matrix)[0, 0]),
            "random": [random.random(), float(np.random.random())],
        }
        output = pb_utils.Tensor("FACTS", np.array([json.dumps(facts)], dtype=object))
        return [pb_utils.InferenceResponse(output_tensors=[output]) for _ in requests]
