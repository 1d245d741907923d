"""max_inflight_requests: how many requests of one ensemble a step may have at a time."""

import json

import pytest
import requests

N_ITEMS = 12

SPOUT = """
import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        for request in requests:
            sender = request.get_response_sender()
            for i in range(request.inputs()[0].as_numpy()[0]):
                item = pb_utils.Tensor("ITEM", np.array([i], dtype=np.int32))
                sender.send(pb_utils.InferenceResponse(output_tensors=[item]))
            sender.send(flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
"""

SPOUT_CONFIG = """backend: "python"
model_transaction_policy { decoupled: true }
input [{ name: "COUNT" data_type: TYPE_INT32 dims: [ 1 ] }]
output [{ name: "ITEM" data_type: TYPE_INT32 dims: [ 1 ] }]
"""

SINK = """
import os
import time

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        self.folder = os.path.join(args["model_repository"], "running")
        self.mark = os.path.join(self.folder, args["model_instance_name"])

    def execute(self, requests):
        open(self.mark, "w").close()
        time.sleep(0.05)
        n = pb_utils.Tensor("RUNNING", np.array([len(os.listdir(self.folder))], dtype=np.int32))
        os.unlink(self.mark)
        return [pb_utils.InferenceResponse(output_tensors=[n]) for _ in requests]
"""

SINK_CONFIG = """backend: "python"
input [{ name: "ITEM" data_type: TYPE_INT32 dims: [ 1 ] }]
output [{ name: "RUNNING" data_type: TYPE_INT32 dims: [ 1 ] }]
instance_group [{ count: 6 kind: KIND_CPU }]
"""

ENSEMBLE = """platform: "ensemble"
model_transaction_policy {{ decoupled: true }}
input [{{ name: "COUNT" data_type: TYPE_INT32 dims: [ 1 ] }}]
output [{{ name: "RUNNING" data_type: TYPE_INT32 dims: [ 1 ] }}]
ensemble_scheduling {{
  {limit}
  step [
    {{ model_name: "spout" model_version: -1
       input_map {{ key: "COUNT" value: "COUNT" }} output_map {{ key: "ITEM" value: "item" }} }},
    {{ model_name: "sink" model_version: -1
       input_map {{ key: "ITEM" value: "item" }}
       output_map {{ key: "RUNNING" value: "RUNNING" }} }}
  ]
}}
"""


@pytest.mark.hippocamp_only("a field that came after Triton 2.51")
@pytest.mark.parametrize(("limit", "most"), [("", 6), ("max_inflight_requests: 2", 2)])
def test_a_step_has_so_many_requests_at_a_time(servers, limit, most):
    repository = servers.repository()
    repository.write("spout/config.pbtxt", SPOUT_CONFIG).write("spout/1/model.py", SPOUT)
    repository.write("sink/config.pbtxt", SINK_CONFIG).write("sink/1/model.py", SINK)
    repository.write("pipe/config.pbtxt", ENSEMBLE.format(limit=limit)).write("pipe/1/.keep", "")
    (repository.path / "sink" / "running").mkdir()
    server = servers.start(repository)
    url = f"{server.url}/v2/models/pipe/generate_stream"
    answer = requests.post(url, json={"COUNT": N_ITEMS}, timeout=60)
    assert answer.status_code == 200
    lines = [line for line in answer.text.split("\n") if line.startswith("data: ")]
    running = [json.loads(line.removeprefix("data: "))["RUNNING"] for line in lines]
    assert len(running) == N_ITEMS
    assert max(running) == most
