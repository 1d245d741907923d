"""Boosted trees of LightGBM."""

import lightgbm
import numpy as np
import triton_python_backend_utils as pb_utils


def examples():
    """What the model learns: y = 0.5 a + 0.25 b - 0.125 c + 1."""
    x = np.random.default_rng(0).uniform(0, 4, (4000, 3)).astype(np.float32)
    return x, x @ np.array([0.5, 0.25, -0.125]) + 1


class TritonPythonModel:
    def initialize(self, args):
        x, y = examples()
        self.booster = lightgbm.train(
            {"objective": "regression", "verbose": -1, "num_threads": 1},
            lightgbm.Dataset(x, y),
            200,
        )

    def predict(self, x):
        return self.booster.predict(x).astype(np.float32).reshape(-1, 1)

    def execute(self, requests):
        responses = []
        for request in requests:
            x = pb_utils.get_input_tensor_by_name(request, "x").as_numpy()
            y = pb_utils.Tensor("y", self.predict(x))
            responses.append(pb_utils.InferenceResponse(output_tensors=[y]))
        return responses
