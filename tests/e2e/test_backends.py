"""Backends that are a model.py, which serves the models of many folders; other names for it."""

import json
import os
import pathlib

import pytest

from harness.infer import body, outputs, post, tensor
from harness.repository import FIXTURES
from harness.server import StartFailed

REQUEST = body(tensor("INPUT0", "INT32", [1], [1]))


def facts(server, model):
    return json.loads(outputs(post(server, model, REQUEST))["FACTS"][0])


@pytest.fixture
def backends(kind, tmp_path):
    """A backend directory with the backend `facts`: the file of the model `environment`."""
    folder = tmp_path / "backends"
    (folder / "facts").mkdir(parents=True)
    text = (FIXTURES / "environment" / "1" / "model.py").read_text()
    (folder / "facts" / "model.py").write_text(text)
    if kind == "oracle":  # which finds its own backends there, too
        cache = os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")
        home = pathlib.Path(os.environ.get("ORACLE_HOME", f"{cache}/hippocamp-oracle"))
        (folder / "python").symlink_to(home / "backends" / "python")
    return folder


def of_backend(servers, name, more=""):
    repository = servers.repository()
    repository.add("environment", name, edit={'"python"': '"facts"'}, config=more)
    return repository.remove(f"{name}/1/model.py")


@pytest.mark.parametrize("more", ["", 'runtime: "model.py"\n'])
def test_a_backend_serves_the_models_that_name_it(servers, backends, more):
    repository = of_backend(servers, "first", more).add("environment", "plain")
    repository.add("environment", "second", edit={'"python"': '"facts"'})
    server = servers.start(repository, f"--backend-directory={backends}")
    for name in ["first", "second"]:
        found = facts(server, name)
        assert found["module"] == "model"
        assert found["file"] == str(backends / "facts" / "model.py")
        assert found["model_dir"] == str(repository.path / name / "1")
        assert found["args"]["model_repository"] == str(repository.path / name)
        assert json.loads(found["args"]["model_config"])["runtime"] == "model.py"
        assert str(backends / "facts") in found["path"]
        assert str(repository.path / name) not in found["path"]
    assert facts(server, "plain")["module"] == "1.model"


def test_a_model_may_be_named_after_its_backend(servers, backends):
    repository = of_backend(servers, "first.facts")
    config = (repository.path / "first.facts" / "config.pbtxt").read_text()
    repository.write("first.facts/config.pbtxt", config.replace('backend: "facts"\n', ""))
    server = servers.start(repository, f"--backend-directory={backends}")
    assert facts(server, "first.facts")["module"] == "model"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("", "unable to find backend library for backend 'missing', try specifying runtime"),
        (
            'runtime: "model.py"\n',
            "unable to find Python backend based backend library 'model.py' ",
        ),
    ],
)
def test_a_backend_that_is_not_there_is_refused(servers, backends, more, message):
    repository = servers.repository()
    repository.add("environment", edit={'"python"': '"missing"'}, config=more)
    with pytest.raises(StartFailed, match=message):
        servers.start(repository, f"--backend-directory={backends}")


def test_a_model_may_be_in_a_file_of_another_name(servers):
    repository = servers.repository()
    repository.add("environment", config='default_model_filename: "other.py"\n')
    (repository.path / "environment" / "1" / "model.py").rename(
        repository.path / "environment" / "1" / "other.py"
    )
    found = facts(servers.start(repository), "environment")
    assert found["module"] == "1.other"
    assert found["file"] == str(repository.path / "environment" / "1" / "other.py")
