"""Environments of models: which interpreter and packages each one finds."""

import contextlib
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import time

import pytest
import requests

from harness.infer import body, outputs, post, tensor
from harness.server import StartFailed

REQUEST = body(tensor("INPUT0", "INT32", [1], [1]))


def facts(server, model="environment"):
    """What the model `environment`, or one that answers as it does, has found around it."""
    return json.loads(outputs(post(server, model, REQUEST))["FACTS"][0])


def packages_of_tests():
    return next(path for path in sys.path if path.endswith("site-packages"))


def packages_of_oracle():
    """Those that NVIDIA's server is installed with: it does not work with NumPy 2."""
    cache = os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")
    home = pathlib.Path(os.environ.get("ORACLE_HOME", f"{cache}/hippocamp-oracle"))
    return next(home.glob("venv/lib/python3*/site-packages"))


def make_environment(folder, more_packages=None, python=sys.executable):
    """A venv with a package of its own, and those of another folder."""
    subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/python3*/site-packages")
    (packages / "colour.py").write_text("NAME = 'blue'\n")
    if more_packages is not None:
        (packages / "more.pth").write_text(f"{more_packages}\n")
    return folder


def pack(folder, archive):
    with tarfile.open(archive, "w:gz") as file:
        file.add(folder, ".")
    return archive


@pytest.fixture(scope="module")
def folder(kind, tmp_path_factory):
    """A venv, not to be changed."""
    packages = packages_of_oracle() if kind == "oracle" else packages_of_tests()
    return make_environment(tmp_path_factory.mktemp("environments") / "blue", packages)


def in_environment(path):
    return f'parameters: {{ key: "EXECUTION_ENV_PATH" value: {{ string_value: "{path}" }} }}\n'


def with_environment(servers, path):
    return servers.repository().add("environment", config=in_environment(path))


def assert_runs_in(found, folder):
    assert found["colour"] == "blue"
    assert found["variables"]["VIRTUAL_ENV"] == str(folder)
    assert found["variables"]["PATH"].startswith(f"{folder}/bin:")
    assert pathlib.Path(found["python"]).parent == folder / "bin"


def test_a_model_runs_in_the_folder_it_names(servers, folder):
    server = servers.start(with_environment(servers, folder))
    assert_runs_in(facts(server), folder)
    assert server.output.wait_for(f"Using Python execution env {folder}")


def test_models_in_other_environments_are_left_alone(servers, folder):
    repository = with_environment(servers, folder).add("environment", "plain")
    server = servers.start(repository)
    assert facts(server)["colour"] == "blue"
    assert facts(server, "plain")["colour"] is None
    assert facts(server, "plain")["variables"]["VIRTUAL_ENV"] == os.environ.get("VIRTUAL_ENV")


def test_an_environment_may_lie_in_the_folder_of_its_model(servers, folder):
    repository = with_environment(servers, "$$TRITON_MODEL_DIRECTORY/env")
    shutil.copytree(folder, repository.path / "environment" / "env", symlinks=True)
    server = servers.start(repository)
    assert facts(server)["colour"] == "blue"


@pytest.mark.hippocamp_only("as of 2.51, NVIDIA's server sources bin/activate, which names another")
def test_a_copied_environment_is_known_by_where_it_is(servers, folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy", symlinks=True)
    assert_runs_in(facts(servers.start(with_environment(servers, copy))), copy)


def test_a_model_runs_in_an_archive(servers, folder, tmp_path):
    archive = pack(folder, tmp_path / "blue.tar.gz")
    assert facts(servers.start(with_environment(servers, archive)))["colour"] == "blue"


@pytest.mark.hippocamp_only("as of 2.51, NVIDIA's server does not say where it unpacks")
def test_an_archive_is_unpacked_once_and_removed_at_the_end(servers, folder, tmp_path):
    archive = pack(folder, tmp_path / "blue.tar.gz")
    repository = with_environment(servers, archive)
    repository.add("environment", "second", config=in_environment(archive))
    server = servers.start(repository)
    unpacked = pathlib.Path(facts(server)["variables"]["VIRTUAL_ENV"])
    assert facts(server)["colour"] == "blue"
    assert facts(server, "second")["variables"]["VIRTUAL_ENV"] == str(unpacked)
    assert server.log().count("Extracting Python execution env") == 1
    assert unpacked.is_dir()
    server.stop()
    assert not unpacked.exists()


def add_link(kind, name, target):
    member = tarfile.TarInfo(name)
    member.type = kind
    member.linkname = target
    return member


def evil(name, tmp_path):
    """Members of an archive that would write to the file `outside` if they were believed."""
    outside = tmp_path / "outside"
    if name == "a path with dots":
        return [tarfile.TarInfo("../" * 20 + str(outside).lstrip("/"))]
    if name == "an absolute path":
        return [tarfile.TarInfo(str(outside))]
    if name == "a symbolic link":
        link = add_link(tarfile.SYMTYPE, "link", str(tmp_path))
        return [link, tarfile.TarInfo("link/outside")]
    if name == "a hard link":
        outside.with_name("victim").write_text("mine")
        link = add_link(tarfile.LNKTYPE, "link", str(outside.with_name("victim")))
        return [link, tarfile.TarInfo("link")]
    raise ValueError(name)


@pytest.mark.hippocamp_only("NVIDIA's server believes them, as of 2.51")
@pytest.mark.parametrize(
    "name", ["a path with dots", "an absolute path", "a symbolic link", "a hard link"]
)
def test_an_archive_that_writes_elsewhere_is_refused(servers, tmp_path, name):
    archive = tmp_path / "evil.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        for member in evil(name, tmp_path):
            content = b"written" if member.isreg() else b""
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    with pytest.raises(StartFailed):
        servers.start(with_environment(servers, archive))
    assert not (tmp_path / "outside").exists()
    if name == "a hard link":
        assert (tmp_path / "victim").read_text() == "mine"


def test_hard_links_within_an_archive_are_fine(servers, folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy, symlinks=True)
    (module,) = copy.glob("lib/python3*/site-packages/colour.py")
    os.link(module, module.with_name("z.py"))
    server = servers.start(with_environment(servers, pack(copy, tmp_path / "blue.tar.gz")))
    assert facts(server)["colour"] == "blue"


OURS = "the message is ours"


@pytest.mark.hippocamp_only(OURS)
def test_what_is_no_archive_is_refused_by_name(servers, tmp_path):
    archive = tmp_path / "text.tar.gz"
    archive.write_text("no archive")
    with pytest.raises(StartFailed, match=rf"cannot unpack the Python environment '{archive}'"):
        servers.start(with_environment(servers, archive))


@pytest.mark.hippocamp_only(OURS)
def test_a_path_that_is_not_there_is_refused_by_name(servers, tmp_path):
    message = rf"{tmp_path}/missing.tar.gz: No such file or directory \(EXECUTION_ENV_PATH\)"
    with pytest.raises(StartFailed, match=message):
        servers.start(with_environment(servers, tmp_path / "missing.tar.gz"))


@pytest.mark.hippocamp_only(OURS)
def test_a_folder_without_interpreter_is_refused(servers, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(StartFailed, match="should contain an interpreter"):
        servers.start(with_environment(servers, tmp_path / "empty"))


@pytest.mark.hippocamp_only(OURS)
def test_an_interpreter_without_numpy_is_refused_with_advice(servers, tmp_path):
    folder = make_environment(tmp_path / "bare")
    message = rf"cannot import NumPy in the Python interpreter '{folder}/bin/python3?': .*--python"
    with pytest.raises(StartFailed, match=message):
        servers.start("environment", f"--python={folder}/bin/python")


@pytest.mark.hippocamp_only("NVIDIA's server has one interpreter, which it is linked with")
def test_the_interpreter_of_all_models_can_be_chosen(servers, folder):
    server = servers.start("environment", f"--python={folder}/bin/python")
    assert facts(server)["colour"] == "blue"
    assert facts(server)["prefix"] == str(folder)


def other_pythons():
    """An interpreter for each version from 3.9 on that pyenv has."""
    root = pathlib.Path(os.environ.get("PYENV_ROOT", pathlib.Path.home() / ".pyenv"))
    for python in sorted(root.glob("versions/3.*/bin/python3")):
        match = re.fullmatch(r"3\.(\d+)\.\d+", python.parents[1].name)
        if match and int(match[1]) >= 9:
            yield f"3.{match[1]}", python


@pytest.mark.long
@pytest.mark.hippocamp_only("NVIDIA's server has one Python, the one that it was built with")
def test_every_python_serves_beside_the_others(servers, tmp_path):
    repository = servers.repository()
    expected = {}
    for version, python in other_pythons():
        folder = make_environment(tmp_path / version, python=python)
        (packages,) = folder.glob("lib/python3*/site-packages")
        wanted = "numpy<2" if version < "3.13" else "numpy"
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "-q", "--only-binary=:all:", "--target"]
            + [packages, "--python-version", version, wanted],
            check=True,
        )
        name = f"python{version.replace('.', '_')}"
        repository.add("environment", name, config=in_environment(folder))
        expected[name] = (version, "2" if wanted == "numpy" else "1")
    if len(expected) < 2:
        pytest.skip("there is one Python only")
    server = servers.start(repository)
    for name, (version, numpy) in expected.items():
        found = facts(server, name)
        assert (found["version"], found["numpy"].split(".")[0]) == (version, numpy)


# ---- Zygotes ----

FORKS = "NVIDIA's server starts an interpreter for each instance"


def zygotes(server):
    """Processes that wait to be forked: children of the server that are no instances."""
    found = set()
    for pid in server.pids() - {server.process.pid}:
        with contextlib.suppress(OSError):  # it may end meanwhile
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            if f"PPid:\t{server.process.pid}\n" in status:
                found.add(pid)
    return found


def wait_for(condition, timeout_s=30):
    give_up_at = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < give_up_at
        time.sleep(0.01)
    return found


@pytest.mark.hippocamp_only(FORKS)
def test_instances_are_forked_from_one_process_an_environment(servers, folder):
    repository = with_environment(servers, folder)
    repository.add("environment", "second", config="instance_group [{ count: 3 }]\n")
    repository.add("environment", "third")
    server = servers.start(repository)
    assert len(zygotes(server)) == 2
    assert len(server.pids()) == 1 + 2 + 5


@pytest.mark.hippocamp_only(FORKS)
def test_instances_outlive_the_process_they_were_forked_from(servers):
    server = servers.start("environment")
    pid = facts(server)["pid"]
    (zygote,) = zygotes(server)
    os.kill(zygote, 9)
    wait_for(lambda: not zygotes(server) & {zygote})
    assert facts(server)["pid"] == pid
    os.kill(pid, 9)
    wait_for(lambda: post(server, "environment", REQUEST).status_code == 200)
    assert facts(server)["pid"] != pid
    assert requests.get(f"{server.url}/v2/health/ready", timeout=60).status_code == 200
    (other,) = zygotes(server)
    assert other != zygote
    assert server.stop() == 0


@pytest.mark.hippocamp_only(FORKS)
def test_instances_are_called_by_their_names(servers):
    server = servers.start("environment")
    assert facts(server)["comm"] == "environment_0"
