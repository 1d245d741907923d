"""The repository: its index, and models that are loaded and unloaded."""

import json

from grpc_health.v1 import health_pb2
from tritonclient.grpc import service_pb2 as pb

from grpc_requests.cases import given
from grpc_requests.control import HEALTH, call, raw
from grpc_requests.control_state import ASKED
from harness.repository import FIXTURES

BROKEN = """class TritonPythonModel:
    def initialize(self, args):
        raise ValueError("broken")
"""
IO = """
input { name: "INPUT0" data_type: TYPE_FP32 dims: -1 }
output { name: "OUTPUT0" data_type: TYPE_FP32 dims: -1 }
"""
# An ensemble of a step, by the name of its model.
ENSEMBLE = f"""platform: "ensemble"
{IO}
ensemble_scheduling {{
  step {{
    model_name: "%s"
    model_version: -1
    input_map {{ key: "INPUT0" value: "INPUT0" }}
    output_map {{ key: "OUTPUT0" value: "OUTPUT0" }}
  }}
}}
"""
CONFIG = {
    "backend": "python",
    "input": [{"name": "INPUT0", "data_type": "TYPE_FP32", "dims": [-1]}],
    "output": [{"name": "OUTPUT0", "data_type": "TYPE_FP32", "dims": [-1]}],
}
MODEL = (FIXTURES / "identity" / "1" / "model.py").read_bytes()

KINDS = {
    str: "string_param",
    bytes: "bytes_param",
    bool: "bool_param",
    int: "int64_param",
    float: "double_param",
}


def fill(repository):
    for model in ["identity", "add_sub", "versions"]:
        repository.add(model)
    for name, step in {"inner": "identity", "outer": "inner", "hollow": "nobody"}.items():
        repository.write(f"{name}/config.pbtxt", ENSEMBLE % step)
        (repository.path / name / "1").mkdir()
    repository.write("broken/config.pbtxt", f'backend: "python"\n{IO}')
    repository.write("broken/1/model.py", BROKEN)
    repository.write("unreadable/config.pbtxt", "x x x\n")
    repository.write("misnamed/config.pbtxt", f'name: "other"\nbackend: "python"\n{IO}')
    repository.write("empty/config.pbtxt", f'backend: "python"\n{IO}')
    return repository


def with_parameters(request, parameters):
    for name, value in parameters.items():
        request.parameters[name].SetInParent()
        if value is not None:
            setattr(request.parameters[name], KINDS[type(value)], value)
    return request


def load(what, model, repository="", **parameters):
    """`parameters` may be given as a dict instead, by the name `given`."""
    request = pb.RepositoryModelLoadRequest(model_name=model, repository_name=repository)
    parameters = parameters.get("given", parameters)
    return raw(f"loading {what}", "RepositoryModelLoad", with_parameters(request, parameters))


def unload(what, model, repository="", **parameters):
    request = pb.RepositoryModelUnloadRequest(model_name=model, repository_name=repository)
    return raw(f"unloading {what}", "RepositoryModelUnload", with_parameters(request, parameters))


def is_settled(answer):
    return not any(model.get("state", "").endswith("ING") for model in answer.get("models", []))


def index(when, ready=False, repository=""):
    """The index, when nothing is being loaded or unloaded any more."""
    request = pb.RepositoryIndexRequest(ready=ready, repository_name=repository)
    return raw(f"index {when}", "RepositoryIndex", request, until=is_settled)


def how_is(model, when):
    """Everything that can be asked about a model."""
    return [
        raw(f"{method} of {model} {when}", method, message(name=model))
        for method, (_, message) in ASKED.items()
    ]


CASES = [
    index("at first"),
    index("of what is ready", ready=True),
    index("of a repository", repository="x"),
    raw("index: no message", "RepositoryIndex", b"\xff\xff\xff"),
    call("client: index", "get_model_repository_index"),
    # Loading.
    load("what is loaded", "identity"),
    load("another", "add_sub"),
    load("several versions", "versions"),
    load("an unknown model", "nobody"),
    load("no model", ""),
    load("a name with a slash", "identity/1"),
    load("a path", "../repository/identity"),
    load("from a repository", "identity", repository="x"),
    load("what is broken", "broken"),
    load("what cannot be read", "unreadable"),
    load("what has another name", "misnamed"),
    load("an ensemble of nothing", "hollow"),
    load("an ensemble of an ensemble", "outer"),
    raw("loading: no message", "RepositoryModelLoad", b"\xff\xff\xff"),
    *how_is("broken", "that failed"),
    *how_is("nobody", "that is not there"),
    index("after loading"),
    index("of what is ready after loading", ready=True),
    raw("ServerReady with models that failed", "ServerReady"),
    raw("Check with models that failed", "Check", health_pb2.HealthCheckRequest(), HEALTH),
    # Configs and files of the client's.
    load("with a config", "add_sub", config=json.dumps({**CONFIG, "max_batch_size": 4})),
    raw("ModelConfig of it", "ModelConfig", pb.ModelConfigRequest(name="add_sub")),
    load("with a config that is none", "identity", config="{"),
    load("with an empty config", "identity", config=""),
    load("with a config that is an array", "identity", config="[]"),
    load("with a config with unknown fields", "identity", config='{"other":1}'),
    load("with a config of another name", "identity", config=json.dumps({"name": "x", **CONFIG})),
    load("with a config of an unknown backend", "identity", config='{"backend":"x"}'),
    load("with a config that is a number", "identity", config=7),
    load("with a config of bytes", "identity", config=json.dumps(CONFIG).encode()),
    load("with a config of no kind", "identity", config=None),
    load("with an unknown parameter", "identity", other="x"),
    load("with files and no config", "mine", given={"file:1/model.py": MODEL}),
    load(
        "with a config and files",
        "mine",
        given={"config": json.dumps(CONFIG), "file:1/model.py": MODEL},
    ),
    *how_is("mine", "of the client's"),
    load(
        "with broken files",
        "mine",
        given={"config": json.dumps(CONFIG), "file:1/model.py": BROKEN.encode()},
    ),
    raw("a request to what could not be loaded anew", "ModelInfer", given()),
    load("with a file of words", "mine", given={"config": json.dumps(CONFIG), "file:1/x": "x"}),
    load(
        "with a file without a name", "mine", given={"config": json.dumps(CONFIG), "file:": MODEL}
    ),
    load(
        "with a file elsewhere",
        "mine",
        given={"config": json.dumps(CONFIG), "file:../model.py": MODEL},
    ),
    load(
        "with a file and no version",
        "mine",
        given={"config": json.dumps(CONFIG), "file:model.py": MODEL},
    ),
    index("after loading with configs"),
    # Unloading.
    unload("one", "mine"),
    index("after one was unloaded"),
    unload("it twice", "mine"),
    *how_is("mine", "that was unloaded"),
    unload("what was never loaded", "nobody"),
    unload("no model", ""),
    unload("from a repository", "identity", repository="x"),
    unload("with dependents in words", "identity", unload_dependents="true"),
    unload("with dependents of no kind", "identity", unload_dependents=None),
    unload("with an unknown parameter", "add_sub", other=7),
    raw("unloading: no message", "RepositoryModelUnload", b"\xff\xff\xff"),
    unload("a step of an ensemble", "inner"),
    index("after a step was unloaded"),
    load("an ensemble without its step", "outer"),
    unload("without dependents", "identity", unload_dependents=False),
    load("the ensemble again", "outer"),
    index("with the ensemble again"),
    unload("an ensemble with its dependents", "outer", unload_dependents=True),
    index("after an ensemble and its dependents"),
    raw("a request to what was unloaded", "ModelInfer", given()),
    # NVIDIA's client.
    call("client: loading", "load_model", model_name="identity"),
    call("client: loading an unknown model", "load_model", model_name="nobody"),
    call(
        "client: loading with a config and files",
        "load_model",
        model_name="mine",
        config=json.dumps(CONFIG),
        files={"file:1/model.py": MODEL},
    ),
    call("client: unloading", "unload_model", model_name="identity"),
    call("client: unloading twice", "unload_model", model_name="identity"),
    call(
        "client: unloading with dependents",
        "unload_model",
        model_name="mine",
        unload_dependents=True,
    ),
    index("at the end"),
    load("what has no version", "empty"),
    index("after that"),
]

# Where the server, or the folder, decides what is loaded.
UNCONTROLLED = {
    mode: [
        index(f"under {mode}"),
        load(f"under {mode}", "identity"),
        load(f"an unknown model under {mode}", "nobody"),
        load(f"with an unknown parameter under {mode}", "identity", other="x"),
        load(f"from a repository under {mode}", "identity", repository="x"),
        unload(f"under {mode}", "identity"),
        unload(f"an unknown model under {mode}", "nobody"),
        unload(f"with a wrong parameter under {mode}", "identity", unload_dependents="x"),
    ]
    for mode in ["none", "poll"]
}
