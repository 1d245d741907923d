"""Settings of the log, changed while the server runs."""

import pytest
import requests

from harness.infer import error_of

DEFAULTS = {
    "log_file": "",
    "log_info": True,
    "log_warning": True,
    "log_error": True,
    "log_verbose_level": 0,
    "log_format": "default",
}


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start("identity")


@pytest.fixture
def send(server):
    url = f"http://{server.address}/v2/logging"

    def send_one(data=None):
        if data is None:
            return requests.get(url, timeout=60)
        return requests.post(url, data=data, timeout=60)

    yield send_one
    requests.post(url, json={**DEFAULTS, "log_file": None}, timeout=60)


def test_settings_are_shown(send):
    answer = send()
    assert answer.status_code == 200
    assert list(answer.json().items()) == list(DEFAULTS.items())


CHANGES = {
    '{"log_info":false}': {"log_info": False},
    '{"log_warning":false,"log_error":null}': {"log_warning": False},
    '{"log_verbose_level":2,"log_format":"ISO8601"}': {
        "log_verbose_level": 2,
        "log_format": "ISO8601",
    },
    '{"log_info":false,"log_info":true}': {"log_info": False},
    '{"log_file":null,"unknown":1}': {},
    "[]": {},
}


@pytest.mark.parametrize("data", CHANGES)
def test_settings_are_changed(send, data):
    expected = {**DEFAULTS, **CHANGES[data]}
    assert send(data).json() == expected
    assert send().json() == expected


REFUSED = {
    "": (500, "failed to parse the request JSON buffer: The document is empty. at 0"),
    '{"log_info":1}': (500, "attempt to access JSON non-boolean as boolean"),
    '{"log_verbose_level":-1}': (
        500,
        "attempt to access JSON non-unsigned-integer as unsigned-integer",
    ),
    '{"log_format":"x"}': (503, "invalid argument for --log_format, got: x"),
    '{"log_file":"x"}': (
        501,
        "log file location can not be updated through network protocol",
    ),
}


@pytest.mark.parametrize("data", REFUSED)
def test_wrong_settings_are_refused(send, data):
    answer = send(data)
    assert (answer.status_code, error_of(answer)) == REFUSED[data]
    assert send().json() == DEFAULTS


def test_what_stands_before_a_wrong_setting_is_changed(send):
    assert send('{"log_error":false,"log_format":"x"}').status_code == 503
    assert send().json() == {**DEFAULTS, "log_error": False}


@pytest.mark.hippocamp_only("NVIDIA's server has traces")
@pytest.mark.parametrize("path", ["trace/setting", "models/identity/trace/setting"])
def test_there_are_no_traces(server, path):
    url = f"http://{server.address}/v2/{path}"
    for answer in (requests.get(url, timeout=60), requests.post(url, data="{}", timeout=60)):
        assert answer.status_code == 501
    extensions = requests.get(f"http://{server.address}/v2", timeout=60).json()["extensions"]
    assert "trace" not in extensions
    assert "logging" in extensions
