"""Has its work done by forked processes: a pool that lives as long as the model, and one that is
made and ended within a request."""

import multiprocessing

import numpy as np
import triton_python_backend_utils as pb_utils

FORK = multiprocessing.get_context("fork")


def square(array):
    return array * array


def square_of(value):
    return float(value) ** 2


class TritonPythonModel:
    def initialize(self, args):
        self.pool = FORK.Pool(2)

    def execute(self, requests):
        responses = []
        for request in requests:
            array = pb_utils.get_input_tensor_by_name(request, "INPUT0").as_numpy()
            halves = self.pool.map(square, np.array_split(array, 2))
            with FORK.Pool(2) as pool:
                again = pool.map(square_of, array[:4].tolist())
            squares = np.concatenate(halves)
            assert np.allclose(squares[: len(again)], again)
            responses.append(
                pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor("SQUARES", squares)])
            )
        return responses

    def finalize(self):
        self.pool.terminate()
        self.pool.join()
