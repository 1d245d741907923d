"""What a server gives back when it has nothing to do."""

import numpy as np
import pytest
import tritonclient.http

from harness.control import wait_until
from harness.processes import pss_kb

SIDE = 1536
IDLE_TIMEOUT_S = 60


@pytest.mark.long
@pytest.mark.hippocamp_only("NVIDIA's server keeps its pools")
def test_memory_of_large_tensors_is_given_back(servers):
    """Inputs and outputs alike: nothing of their 80 MB is left some seconds later."""
    server = servers.start("layouts")
    client = tritonclient.http.InferenceServerClient(f"127.0.0.1:{server.http_port}")

    def used_kb():
        return sum(pss_kb(pid) for pid in server.pids())

    def infer():
        given = tritonclient.http.InferInput("INPUT0", [SIDE, SIDE], "INT64")
        given.set_data_from_numpy(np.ones((SIDE, SIDE), dtype=np.int64))
        client.infer("layouts", [given])

    before_kb = used_kb()
    infer()
    assert used_kb() > before_kb + 64 * 1024
    wait_until(lambda: used_kb() < before_kb + 16 * 1024, "memory given back", IDLE_TIMEOUT_S)
    infer()
