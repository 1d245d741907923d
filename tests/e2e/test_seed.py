"""The example that every tutorial starts with: models/linear."""

import json

import numpy as np
import pytest
import requests
import tritonclient.http as triton

from harness.infer import assert_same_json, body, post, tensor

X = tensor("x", "FP32", [1, 3], [[1.0, 2.0, 3.0]])
Y = 0.5 * 1 + 0.25 * 2 - 0.125 * 3 + 1


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start("linear")


def test_requests_gets_the_exact_answer(server):
    headers = {"Accept-Encoding": "identity"}
    answer = requests.post(server.infer_url("linear"), json=body(X), headers=headers, timeout=60)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert_same_json(
        answer.text,
        '{"model_name":"linear","model_version":"1","outputs":'
        '[{"name":"y","datatype":"FP32","shape":[1,1],"data":[%s]}]}' % Y,
    )


def test_a_header_with_an_underscore_is_ignored(server):
    headers = {"Content_Type": "application/json"}
    answer = requests.post(
        server.infer_url("linear"), data=json.dumps(body(X)), headers=headers, timeout=60
    )
    assert answer.status_code == 200
    assert answer.json()["outputs"][0]["data"] == [Y]


def test_the_id_comes_back(server):
    answer = post(server, "linear", body(X, id="request 7"))
    assert answer.text.startswith('{"id":"request 7","model_name":"linear",')


def test_the_version_may_be_in_the_path(server):
    assert post(server, "linear", body(X), version=1).json()["outputs"][0]["data"] == [Y]


@pytest.mark.parametrize("n_rows", [1, 2, 3, 4])
@pytest.mark.parametrize("binary_in", [False, True])
@pytest.mark.parametrize("binary_out", [False, True])
def test_tritonclient_gets_every_row(server, n_rows, binary_in, binary_out):
    x = np.arange(3 * n_rows, dtype=np.float32).reshape(n_rows, 3)
    given = triton.InferInput("x", x.shape, "FP32")
    given.set_data_from_numpy(x, binary_data=binary_in)
    wanted = triton.InferRequestedOutput("y", binary_data=binary_out)
    with triton.InferenceServerClient(server.address) as client:
        y = client.infer("linear", [given], outputs=[wanted]).as_numpy("y")
    expected = x @ np.array([[0.5], [0.25], [-0.125]], dtype=np.float32) + 1
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, expected, rtol=1e-6)


def test_the_format_of_logging_is_the_models_own(server):
    assert server.output.wait_for(
        r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \[INFO\] 1\.model: loaded Linear\("
    )


def test_finalize_prints_when_the_server_is_stopped(servers):
    server = servers.start("linear")
    assert server.stop() == 0
    assert "Cleaning up..." in server.output.text("stdout")
