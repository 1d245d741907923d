"""Tensors between the steps of an ensemble stay where they are, where the next model can read them.

A Python model may write into its inputs and keep them: each is its own, one copy.

What is copied is seen in the request arenas, one a model: pages that nobody wrote to do not exist.
"""

import json
import re

import numpy as np
import pytest

from harness.infer import post, with_blob

WIDTH = 64
N_ROWS = 16384
SIZE = WIDTH * N_ROWS * 4

FLOATS = f"data_type: TYPE_FP32 dims: [ -1, {WIDTH} ]"

LINEAR = f"""backend: "linear"
input [{{ name: "x" {FLOATS} }}]
output [{{ name: "y" {FLOATS} }}]
"""

PYTHON = """
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        return [
            pb_utils.InferenceResponse(
                [pb_utils.Tensor("y", pb_utils.get_input_tensor_by_name(r, "x").as_numpy() * 2)]
            )
            for r in requests
        ]
"""


def ensemble(*models):
    """One model after the other."""
    steps = [
        f'{{ model_name: "{model}" model_version: -1 '
        f'input_map {{ key: "x" value: "t{i}" }} output_map {{ key: "y" value: "t{i + 1}" }} }}'
        for i, model in enumerate(models)
    ]
    return (
        f'platform: "ensemble"\ninput [{{ name: "t0" {FLOATS} }}]\n'
        f'output [{{ name: "t{len(models)}" {FLOATS} }}]\n'
        f"ensemble_scheduling {{ step [ {', '.join(steps)} ] }}\n"
    )


def copied(server):
    """How many tensors of SIZE are in the memory of requests."""
    with open(f"/proc/{server.process.pid}/smaps") as maps:
        text = maps.read()
    parts = re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", text, flags=re.M)
    resident = [
        int(re.search(r"^Rss: +(\d+) kB", part, flags=re.M)[1]) * 1024
        for part in parts
        if "hippocamp-requests" in part.split("\n")[0]
    ]
    return round(sum(resident) / SIZE, 1)


@pytest.mark.hippocamp_only("it is about Hippocamp's memory")
@pytest.mark.parametrize(
    ("models", "n_copies"),
    [
        (["native", "native", "native"], 1),  # as the request came
        (["native", "python", "native"], 2),  # and for the process of the Python model
        (["python", "native", "python"], 2 + 1),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else str(value),
)
def test_native_models_read_tensors_where_they_are(servers, models, n_copies):
    repository = servers.repository()
    for i, model in enumerate(models):
        name = f"m{i}"
        if model == "native":
            repository.write(f"{name}/config.pbtxt", LINEAR).write(f"{name}/1/.keep", "")
            weight = np.eye(WIDTH, dtype=np.float32) * 2
            np.savez(repository.path / name / "1" / "model.npz", weight=weight)
        else:
            text = LINEAR.replace("linear", "python")
            repository.write(f"{name}/config.pbtxt", text).write(f"{name}/1/model.py", PYTHON)
    names = [f"m{i}" for i in range(len(models))]
    repository.write("all/config.pbtxt", ensemble(*names)).write("all/1/.keep", "")
    server = servers.start(repository)
    values = np.random.default_rng(7).standard_normal((N_ROWS, WIDTH), dtype=np.float32)
    request = {
        "inputs": [
            {
                "name": "t0",
                "datatype": "FP32",
                "shape": [N_ROWS, WIDTH],
                "parameters": {"binary_data_size": SIZE},
            }
        ],
        "outputs": [{"name": f"t{len(models)}", "parameters": {"binary_data": True}}],
    }
    data, headers = with_blob(request, values.tobytes())
    answer = post(server, "all", data, headers)
    assert answer.status_code == 200, answer.text[:500]
    size = int(answer.headers["Inference-Header-Content-Length"])
    assert json.loads(answer.content[:size])["outputs"][0]["shape"] == [N_ROWS, WIDTH]
    result = np.frombuffer(answer.content[size:], dtype=np.float32).reshape(N_ROWS, WIDTH)
    assert np.array_equal(result, values * 2 ** len(models))
    assert n_copies <= copied(server) < n_copies + 0.5
