"""How a server starts: what it logs, and what it does when a model cannot be loaded."""

import re

import pytest
import requests

from harness.infer import body, outputs, post, tensor
from harness.server import StartFailed

ONE = body(tensor("INPUT0", "FP32", [1], [1]))
LOG_LINE = re.compile(r'^[IWE]\d{4} \d\d:\d\d:\d\d\.\d{6} \d+ [\w.]+:\d+\] "?')


def test_the_log_tells_what_is_served_and_where(servers):
    server = servers.start(["identity", "versions"])
    for text in [
        f"Started HTTPService at 0.0.0.0:{server.http_port}",
        "loading: identity:1",
        "loading: versions:3",
        "successfully loaded 'identity'",
    ]:
        match = server.output.wait_for(f".*{re.escape(text)}.*")
        assert match, text
        assert LOG_LINE.match(match.group()), match.group()


def test_tables_list_models_and_options(servers):
    server = servers.start(["identity", "versions"])
    assert server.output.wait_for("Started HTTPService")
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in server.log().splitlines()
        if line.startswith("|")
    ]
    assert ["Model", "Version", "Status"] in rows
    assert ["identity", "1", "READY"] in rows
    assert [row for row in rows if row[0] == "versions"] == [
        ["versions", "1", "READY"],
        ["versions", "3", "READY"],
        ["versions", "10", "READY"],
    ]
    assert ["Backend", "Path", "Config"] in rows
    assert ["Option", "Value"] in rows
    assert ["server_id", "triton"] in rows
    assert ["server_version", "2.51.0"] in rows
    assert ["model_repository_path[0]", str(server.repository.path)] in rows
    assert ["model_control_mode", "MODE_NONE"] in rows
    assert ["exit_timeout", "30"] in rows


def test_an_empty_repository_is_served(servers):
    server = servers.start(servers.repository())
    assert requests.get(f"{server.url}/v2/health/ready", timeout=60).status_code == 200


def broken(repository, name):
    """Adds the model `bad`, broken in one way."""
    if name == "unknown field":
        repository.add("identity", "bad", config="nonsense: 1\n")
    elif name == "no such datatype":
        repository.add("identity", "bad", edit={"TYPE_FP32": "TYPE_FP31"})
    elif name == "bad dimension":
        repository.add("identity", "bad", edit={"dims: [ -1 ]": "dims: [ -2 ]"})
    elif name == "another name":
        repository.add("identity", "bad", config='name: "good"\n')
    elif name == "no version":
        repository.add("identity", "bad").remove("bad/1")
    elif name == "no model.py":
        repository.add("identity", "bad").remove("bad/1/model.py")
    elif name == "syntax error":
        repository.add("identity", "bad").write("bad/1/model.py", "def broken(:\n")
    elif name == "missing import":
        repository.add("identity", "bad").write("bad/1/model.py", "import no_such_module\n")
    elif name == "no class":
        repository.add("identity", "bad").write("bad/1/model.py", "x = 1\n")
    elif name == "exception in initialize":
        repository.add("stages", "bad", edit={'"none"': '"initialize"'})
    elif name == "death in initialize":
        repository.add("stages", "bad", edit={'"none"': '"initialize-by-signal"'})
    elif name == "unknown backend":
        repository.add("identity", "bad", edit={'"python"': '"nonsense"'})
    else:
        raise ValueError(name)


BROKEN = {
    "unknown field": r"failed to read text proto from .*/bad/config\.pbtxt",
    "no such datatype": r"failed to read text proto from .*/bad/config\.pbtxt",
    "bad dimension": r"model input 'INPUT0' dimension must be integer >= 1, or -1 to indicate a "
    r"variable-size dimension for bad",
    "another name": r"unexpected directory name 'bad' for model 'good', directory name must equal "
    r"model name",
    "no version": r"at least one version must be available under the version policy of model 'bad'",
    "no model.py": r"Python model file not found in '.*/bad/1/model\.py'",
    "syntax error": r"SyntaxError: invalid syntax",
    "missing import": r"ModuleNotFoundError: No module named 'no_such_module'",
    "no class": r"AttributeError: module '1\.model' has no attribute 'TritonPythonModel'",
    "exception in initialize": r"ValueError: no weights today",
    "death in initialize": r"Stub process 'bad_0(_0)?' is not healthy",
    "unknown backend": r"unable to find backend library for backend 'nonsense', try specifying "
    r"runtime on the model configuration",
}

# A configuration that cannot be read makes no model: the server does not know of it afterwards.
UNKNOWN_AFTERWARDS = {"unknown field", "no such datatype", "another name"}


@pytest.mark.parametrize("name", BROKEN)
def test_a_model_that_cannot_be_loaded_ends_the_server(servers, differences, name):
    differences.skip_fatal(name)
    repository = servers.repository()
    broken(repository, name)
    repository.add("identity")
    with pytest.raises(StartFailed) as failure:
        servers.start(repository)
    log = str(failure.value)
    assert re.search(BROKEN[name], log), log
    assert "failed to load all models" in log


def test_an_exception_in_initialize_is_logged_with_its_traceback(servers):
    repository = servers.repository()
    broken(repository, "exception in initialize")
    with pytest.raises(StartFailed) as failure:
        servers.start(repository)
    file = repository.path / "bad" / "1" / "model.py"
    assert re.search(
        rf"ValueError: no weights today.*{file}\(\d+\): initialize", str(failure.value)
    )


@pytest.mark.parametrize("name", BROKEN)
def test_the_others_are_served_when_errors_are_no_reason_to_exit(servers, differences, name):
    differences.skip_fatal(name)
    repository = servers.repository()
    broken(repository, name)
    repository.add("identity")
    server = servers.start(repository, "--exit-on-error=false", wait=False)
    server.wait_until_ready("/v2/models/identity/ready")
    assert outputs(post(server, "identity", ONE))["OUTPUT0"] == [1]
    assert requests.get(f"{server.url}/v2/health/live", timeout=60).status_code == 200
    ready = requests.get(f"{server.url}/v2/health/ready", timeout=60).status_code
    assert ready == (200 if name in UNKNOWN_AFTERWARDS else 400)
    assert requests.get(f"{server.url}/v2/models/bad/ready", timeout=60).status_code == 400
    assert post(server, "bad", ONE).status_code in (404, 503)
    assert server.output.wait_for(BROKEN[name]), server.log()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--nonsense"], "nonsense"),
        (["--http-thread-count=many"], "many"),
        (["--model-control-mode=sometimes"], "--model-control-mode"),
        (["stray"], "stray"),
    ],
)
def test_bad_options_end_the_server(servers, options, message):
    with pytest.raises(StartFailed, match=message):
        servers.start(servers.repository(), *options)


def test_a_repository_that_is_not_there_ends_the_server(servers):
    repository = servers.repository()
    repository.path.rmdir()
    with pytest.raises(StartFailed, match=re.escape(str(repository.path))):
        servers.start(repository)


def test_a_port_that_is_taken_ends_the_server(servers):
    first = servers.start("identity")
    with pytest.raises(StartFailed, match=rf"Socket '0\.0\.0\.0:{first.http_port}' already in use"):
        servers.start("identity", f"--http-port={first.http_port}")
