"""Models of machine-learning frameworks; `make test-frameworks` runs this, with them installed."""

import os

import numpy as np
import pytest

from harness.infer import body, outputs, post, tensor
from harness.repository import ROOT

FRAMEWORKS = ROOT / "models" / "frameworks"
X = np.array([[1, 2, 3], [0.5, 0.25, 3.5], [2, 2, 2]], dtype=np.float32)
Y = X @ np.array([0.5, 0.25, -0.125]) + 1
LEARNT = {"xgboost": 0.1, "lightgbm": 0.1, "scikit_learn": 1e-4}

pytestmark = pytest.mark.skipif(
    "HC_FRAMEWORKS_PYTHON" not in os.environ,
    reason="HC_FRAMEWORKS_PYTHON names no Python that has the frameworks",
)


@pytest.fixture(scope="module")
def frameworks(module_servers):
    """The server, on a repository with a link to each model of models/frameworks/."""
    repository = module_servers.repository()
    for folder in FRAMEWORKS.iterdir():
        if folder.is_dir():
            (repository.path / folder.name).symlink_to(folder)
    return module_servers.start(repository, f"--python={os.environ['HC_FRAMEWORKS_PYTHON']}")


@pytest.mark.parametrize("model", sorted(path.name for path in FRAMEWORKS.glob("*/")))
def test_a_framework_answers(frameworks, model):
    request = body(tensor("x", "FP32", list(X.shape), X.tolist()))
    answer = outputs(post(frameworks, model, request))["y"]
    assert np.allclose(answer, Y, atol=LEARNT.get(model, 1e-5)), (answer, Y)
