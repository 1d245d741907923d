"""Fixtures of the end-to-end tests: servers over repositories made for the test.

    pytest tests/e2e                       tests build/bin/hippocamp
    HC_ORACLE='…' pytest tests/e2e --server=oracle
                                           tests NVIDIA's server with the same expectations

HC_ORACLE is the command that starts NVIDIA's server on the repository given as first argument.
HC_SERVER names another build of Hippocamp, HC_MODEL_PYTHON another Python for its models.
Where the two differ on purpose, `differences.py` says how and why.
"""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from differences import Differences
from harness import gpu
from harness.repository import Repository
from harness.server import start_patiently


def pytest_addoption(parser):
    parser.addoption("--server", choices=("hippocamp", "oracle"), default="hippocamp")


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "hippocamp_only(reason): what NVIDIA's server does not do, or does otherwise"
    )
    config.addinivalue_line("markers", "gpu: needs a GPU, and skips only where there is none")
    config.addinivalue_line("markers", "long: part of the long tier, not of the quick one")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--server") == "oracle":
        for item in items:
            if mark := item.get_closest_marker("hippocamp_only"):
                item.add_marker(pytest.mark.skip(reason=mark.args[0]))


@pytest.fixture(scope="session")
def kind(pytestconfig):
    """Which server is tested: hippocamp or oracle."""
    return pytestconfig.getoption("--server")


@pytest.fixture(scope="session")
def differences(kind):
    return Differences(kind)


@pytest.fixture(scope="session")
def fake_cuda(tmp_path_factory):
    """The folder of a driver that has no GPUs and runs kernels nevertheless."""
    how = gpu.SANITIZED if "HC_SANITIZE_KERNELS" in os.environ else gpu.CHECKED
    return gpu.build_fake(tmp_path_factory.mktemp("fake_cuda"), how=how)


class Servers:
    """Starts servers for a test or a module and ends those that are left when it is over."""

    def __init__(self, kind, folder):
        self._kind = kind
        self._folder = folder
        self._servers = []

    def repository(self):
        """An empty repository in a folder of its own."""
        return Repository(self._folder / f"repository-{len(list(self._folder.iterdir()))}")

    def start(self, repository, *options, **how):
        if not isinstance(repository, Repository):
            names, repository = repository, self.repository()
            for name in [names] if isinstance(names, str) else names:
                repository.add(name)
        server = start_patiently(self._kind, repository, options, how)
        self._servers.append(server)
        return server

    def logs(self):
        return [server.log() for server in self._servers]

    def end(self):
        for server in self._servers:
            server.kill()


@pytest.fixture
def servers(kind, tmp_path, request):
    """Starts servers that live as long as the test."""
    started = Servers(kind, tmp_path)
    request.node.stash[SERVERS] = [started]
    yield started
    started.end()


@pytest.fixture(scope="module")
def module_servers(kind, tmp_path_factory, request):
    """Starts servers that live as long as the test file."""
    started = Servers(kind, tmp_path_factory.mktemp("repositories"))
    request.node.stash[SERVERS] = [started]
    yield started
    started.end()


SERVERS = pytest.StashKey[list]()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Adds the output of its servers to the report of a test that failed."""
    report = (yield).get_result()
    if report.failed:
        for node in item.listchain():
            for started in node.stash.get(SERVERS, []):
                for text in started.logs():
                    report.sections.append(("output of the server", text[-20000:]))
