"""The module that models import in a Python without a server: its stubs, models run by hand."""

import ast
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from harness.repository import EXAMPLES, FIXTURES, ROOT
from harness.server import command_of

pytestmark = pytest.mark.hippocamp_only("NVIDIA's module exists in its own processes only")

STUBS = ROOT / "stubs"


def module_file():
    """The extension module that belongs to the server under test."""
    server = pathlib.Path(command_of("hippocamp")[0]).resolve()
    return server.parents[1] / "lib" / "hippocamp" / "_hippocamp.abi3.so"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """What `pip install` puts into a Python, with the extension module of the server."""
    site = tmp_path_factory.mktemp("site")
    for package in ("hippocamp", "triton_python_backend_utils", "c_python_backend_utils"):
        shutil.copytree(ROOT / "python" / package, site / package)
    shutil.copy(module_file(), site / "hippocamp")
    return site


def run(site, *words, **variables):
    preload = {"LD_PRELOAD": os.environ["HC_PRELOAD"]} if "HC_PRELOAD" in os.environ else {}
    return subprocess.run(
        [sys.executable, *words],
        env={**os.environ, "PYTHONPATH": str(site), **preload, **variables},
        capture_output=True,
        text=True,
        timeout=300,
    )


def run_model(site, model, *words):
    done = run(site, "-m", "hippocamp.run", str(model), *words)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_the_stubs_describe_the_module(site):
    modules = ["triton_python_backend_utils", "c_python_backend_utils"]
    cache = str(ROOT / ".cache" / "mypy")
    done = run(site, "-m", "mypy.stubtest", *modules, MYPYPATH=str(STUBS), MYPY_CACHE_DIR=cache)
    assert done.returncode == 0, done.stdout


def undocumented(node, name):
    """Names of what can be called in a stub and says nothing of itself."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef) and child.name != "__init__":
            if ast.get_docstring(child) is None:
                yield f"{name}.{child.name}"
            yield from undocumented(child, f"{name}.{child.name}")


@pytest.mark.parametrize("stub", sorted(STUBS.glob("*.pyi")), ids=lambda path: path.stem)
def test_every_name_of_the_stubs_is_explained(stub):
    module = ast.parse(stub.read_text())
    assert ast.get_docstring(module)
    assert list(undocumented(module, stub.stem)) == []


def test_a_model_runs_from_a_shell(site):
    (answer,) = run_model(site, EXAMPLES / "linear", "--input", "x=[[1,2,3]]")
    assert answer == {"y": [[1.625]]}


def test_values_become_arrays_of_the_datatype_that_is_configured(site):
    arguments = ["--input", "INPUT0=[[1, 2]]", "--input", "INPUT1=[[3, 4]]"]
    (answer,) = run_model(site, FIXTURES / "add_sub", *arguments)
    assert answer == {"OUTPUT0": [[4, 6]], "OUTPUT1": [[-2, -2]]}


def test_a_model_finds_its_own_packages(site):
    assert run_model(site, FIXTURES / "multi_file", "--input", "INPUT0=[1]")


def test_a_model_gets_the_arguments_that_the_server_gives(site):
    (answer,) = run_model(site, FIXTURES / "init_args", "--input", "INPUT0=[[1]]")
    facts = json.loads(answer["ARGS"][0][0])
    assert facts["module"] == "1.model"
    assert facts["model_dir"] == str(FIXTURES / "init_args" / "1")
    config = json.loads(facts["args"].pop("model_config"))
    assert config["parameters"] == {"color": {"string_value": "blue"}}
    assert facts["args"] == {
        "model_instance_kind": "CPU",
        "model_instance_name": "init_args_0_0",
        "model_instance_device_id": "0",
        "model_repository": str(FIXTURES / "init_args"),
        "model_version": "1",
        "model_name": "init_args",
    }


def test_an_exception_arrives_with_the_lines_of_the_model(site, tmp_path):
    shutil.copytree(FIXTURES / "identity", tmp_path / "identity")
    file = tmp_path / "identity" / "1" / "model.py"
    file.write_text(file.read_text().replace("responses = []", "responses = undefined"))
    done = run(site, "-m", "hippocamp.run", str(file.parents[1]), "--input", "INPUT0=[1]")
    assert done.returncode != 0
    assert f'File "{file}", line' in done.stderr
    assert "NameError: name 'undefined' is not defined" in done.stderr


def test_an_input_that_the_model_has_not_is_named(site):
    done = run(site, "-m", "hippocamp.run", str(FIXTURES / "identity"), "--input", "X=[1]")
    assert "the model has no input 'X', it has ['INPUT0']" in done.stderr


SCRIPT = """
import sys
import numpy as np
from hippocamp import Model, ModelError

DECOUPLED = '''
import triton_python_backend_utils as pb_utils

class TritonPythonModel:
    def execute(self, requests):
        for request in requests:
            sender = request.get_response_sender()
            for value in request.inputs()[0].as_numpy():
                tensor = pb_utils.Tensor("OUTPUT0", value.reshape(1))
                sender.send(pb_utils.InferenceResponse([tensor]))
            sender.send(flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)

    def finalize(self):
        print("finalized")
'''

with Model(sys.argv[1]) as model:
    array = np.array([1, 2], dtype=np.float32)
    assert model.infer({"INPUT0": array})["OUTPUT0"].tolist() == [1, 2]
    requests = [model.request({"INPUT0": [i]}) for i in range(3)]
    answers = model.execute(requests)
    assert [a[0].output_tensors()[0].as_numpy()[0] for a in answers] == [0, 1, 2]
file = model.folder / "1" / "model.py"
file.write_text(DECOUPLED)
with Model(sys.argv[1], config={"model_transaction_policy": {"decoupled": True}}) as model:
    assert [a["OUTPUT0"].tolist() for a in model.stream({"INPUT0": [3, 4]})] == [[3], [4]]
"""


def test_models_can_be_tested_from_python(site, tmp_path):
    shutil.copytree(FIXTURES / "identity", tmp_path / "identity")
    done = run(site, "-c", SCRIPT, str(tmp_path / "identity"))
    assert done.returncode == 0, done.stderr
    assert done.stdout == "finalized\n"


@pytest.mark.long
def test_pip_installs_it(tmp_path):
    copy = tmp_path / "source"
    for folder in ("python", "src", "stubs"):
        shutil.copytree(ROOT / folder, copy / folder)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"]
        + ["--target", tmp_path / "site", copy / "python"],
        check=True,
    )
    (answer,) = run_model(tmp_path / "site", EXAMPLES / "linear", "--input", "x=[[1,2,3]]")
    assert answer == {"y": [[1.625]]}
    assert (tmp_path / "site" / "triton_python_backend_utils" / "__init__.pyi").is_file()
    assert (tmp_path / "site" / "triton_python_backend_utils" / "py.typed").is_file()
