"""Files of weights that are broken or hostile: each is refused, and nothing else is the worse."""

import numpy as np
import pytest
import requests

from harness.infer import body, outputs, post, tensor
from hostile_weights import CASES

pytestmark = pytest.mark.hippocamp_only("NVIDIA's server has no such backend")


@pytest.fixture(scope="module")
def server(module_servers):
    repository = module_servers.repository()
    repository.add("linear", edit={'backend: "python"': 'backend: "linear"'})
    for name, (file, data, _) in CASES.items():
        repository.write(f"{name}/config.pbtxt", 'backend: "linear"\n')
        (repository.path / name / "1").mkdir()
        (repository.path / name / "1" / file).write_bytes(data)
    return module_servers.start(repository, "--exit-on-error=false", "--strict-readiness=false")


@pytest.fixture(scope="module")
def reasons(server):
    index = requests.post(f"{server.url}/v2/repository/index", timeout=60).json()
    return {entry["name"]: entry for entry in index}


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_with_what_is_wrong(reasons, name):
    assert reasons[name]["state"] == "UNAVAILABLE"
    assert CASES[name][2] in reasons[name]["reason"], reasons[name]["reason"]


def test_other_models_are_served(server, reasons):
    assert reasons["linear"]["state"] == "READY"
    answer = post(server, "linear", body(tensor("x", "FP32", [1, 3], [1, 2, 3])))
    assert outputs(answer)["y"] == [1.625]
    np.testing.assert_equal(server.process.poll(), None)
