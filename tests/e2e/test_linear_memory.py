"""What a native model costs in memory: its weights, once, and little else."""

import pytest
import requests
import torch
from torch import nn

from harness.weights import add_model

pytestmark = pytest.mark.hippocamp_only("NVIDIA's server has no such backend")

N_INSTANCES = 100
MB = 1 << 20


def memory(server):
    """Bytes that the server's process has to itself: its heap, stacks and arenas."""
    fields = {}
    with open(f"/proc/{server.process.pid}/smaps_rollup") as file:
        for line in list(file)[1:]:
            name, number, _ = line.split()
            fields[name.rstrip(":")] = int(number) * 1024
    return fields["Pss_Anon"] + fields["Pss_Shmem"]


def served(servers, module):
    repository = servers.repository()
    add_model(repository, "model", module, config=f"instance_group {{ count: {N_INSTANCES} }}\n")
    server = servers.start(repository)
    width = module[0].in_features
    for n_rows in (1, 4, 20):
        data = torch.randn(n_rows, width).numpy().tobytes()
        answer = requests.post(
            server.infer_url("model"),
            data=data,
            headers={"Inference-Header-Content-Length": "0"},
            timeout=60,
        )
        assert answer.status_code == 200, answer.text
    return memory(server)


def test_a_model_costs_its_weights_and_under_one_megabyte(servers):
    module = nn.Sequential(nn.Linear(64, 2000), nn.ReLU(), nn.Linear(2000, 2000))
    weights = sum(parameter.numel() * 4 for parameter in module.parameters())
    none = memory(servers.start(servers.repository()))
    cost = served(servers, module) - none
    assert weights < cost < weights + 1 * MB, (weights, cost)
