"""Health, metadata and configuration, text for text."""

import json

import pytest
import requests

from harness.infer import assert_same_json, error_of

EXTENSIONS = (
    '"classification","sequence","model_repository","model_repository(unload_dependents)",'
    '"schedule_policy","model_configuration","system_shared_memory","cuda_shared_memory",'
    '"binary_tensor_data","parameters","statistics","trace","logging"'
)

METADATA = {
    "/v2": '{"name":"triton","version":"2.51.0","extensions":[%s]}' % EXTENSIONS,
    "/v2?unused=query": '{"name":"triton","version":"2.51.0","extensions":[%s]}' % EXTENSIONS,
    "/v2/models/linear": '{"name":"linear","versions":["1"],"platform":"python",'
    '"inputs":[{"name":"x","datatype":"FP32","shape":[-1,3]}],'
    '"outputs":[{"name":"y","datatype":"FP32","shape":[-1,1]}]}',
    "/v2/models/linear/versions/1": '{"name":"linear","versions":["1"],"platform":"python",'
    '"inputs":[{"name":"x","datatype":"FP32","shape":[-1,3]}],'
    '"outputs":[{"name":"y","datatype":"FP32","shape":[-1,1]}]}',
    "/v2/models/versions": '{"name":"versions","versions":["1","3","10"],"platform":"python",'
    '"inputs":[{"name":"INPUT0","datatype":"INT32","shape":[1]}],'
    '"outputs":[{"name":"VERSION","datatype":"INT32","shape":[1]}]}',
    "/v2/models/versions/versions/3": '{"name":"versions","versions":["3"],"platform":"python",'
    '"inputs":[{"name":"INPUT0","datatype":"INT32","shape":[1]}],'
    '"outputs":[{"name":"VERSION","datatype":"INT32","shape":[1]}]}',
    "/v2/models/optional": '{"name":"optional","versions":["1"],"platform":"python",'
    '"inputs":[{"name":"A","datatype":"INT32","shape":[1]},'
    '{"name":"B","datatype":"INT32","shape":[1]},{"name":"C","datatype":"INT32","shape":[1]}],'
    '"outputs":[{"name":"GIVEN","datatype":"BYTES","shape":[-1]}]}',
}

CONFIG = (
    '{"name":"%(name)s","platform":"","backend":"python","runtime":"",'
    '"version_policy":%(policy)s,"max_batch_size":%(batch)d,"input":[%(input)s],'
    '"output":[%(output)s],"batch_input":[],"batch_output":[],'
    '"optimization":{"priority":"PRIORITY_DEFAULT","input_pinned_memory":{"enable":true},'
    '"output_pinned_memory":{"enable":true},"gather_kernel_buffer_threshold":0,'
    '"eager_batching":false},"instance_group":[{"name":"%(name)s%(group)s","kind":"KIND_CPU",'
    '"count":%(count)d,"gpus":[],"secondary_devices":[],"profile":[],"passive":false,'
    '"host_policy":""}],"default_model_filename":"model.py","cc_model_filenames":{},'
    '"metric_tags":{},"parameters":%(parameters)s,"model_warmup":[]}'
)
INPUT = (
    '{"name":"%s","data_type":"%s","format":"FORMAT_NONE","dims":[%s],"is_shape_tensor":false,'
    '"allow_ragged_batch":false,"optional":%s,"is_non_linear_format_io":false}'
)
OUTPUT = (
    '{"name":"%s","data_type":"%s","dims":[%s],"label_filename":"","is_shape_tensor":false,'
    '"is_non_linear_format_io":false}'
)
LATEST = '{"latest":{"num_versions":1}}'
PLAIN = {"policy": LATEST, "batch": 0, "group": "", "count": 1, "parameters": "{}"}

CONFIGS = {
    "linear": CONFIG
    % {
        **PLAIN,
        "name": "linear",
        "batch": 4,
        "input": INPUT % ("x", "TYPE_FP32", "3", "false"),
        "output": OUTPUT % ("y", "TYPE_FP32", "1"),
    },
    "versions": CONFIG
    % {
        **PLAIN,
        "name": "versions",
        "policy": '{"all":{}}',
        "input": INPUT % ("INPUT0", "TYPE_INT32", "1", "false"),
        "output": OUTPUT % ("VERSION", "TYPE_INT32", "1"),
    },
    "optional": CONFIG
    % {
        **PLAIN,
        "name": "optional",
        "input": ",".join(
            INPUT % (name, "TYPE_INT32", "1", optional)
            for name, optional in (("A", "false"), ("B", "true"), ("C", "true"))
        ),
        "output": OUTPUT % ("GIVEN", "TYPE_STRING", "-1"),
    },
    "init_args": CONFIG
    % {
        **PLAIN,
        "name": "init_args",
        "batch": 2,
        "input": INPUT % ("INPUT0", "TYPE_INT32", "1", "false"),
        "output": OUTPUT % ("ARGS", "TYPE_STRING", "1"),
        "parameters": '{"color":{"string_value":"blue"}}',
    },
    "barrier": CONFIG
    % {
        **PLAIN,
        "name": "barrier",
        "group": "_0",
        "count": 4,
        "input": INPUT % ("FOLDER", "TYPE_STRING", "1", "false"),
        "output": OUTPUT % ("PID", "TYPE_INT32", "1")
        + ","
        + OUTPUT % ("INSTANCE", "TYPE_STRING", "1"),
    },
}

NOT_ALLOWED = (405, "Method Not Allowed")
NOT_FOUND = (404, "Not Found")
ERRORS = {
    ("GET", "/"): NOT_FOUND,
    ("GET", "/v2/"): NOT_FOUND,
    ("GET", "//v2"): NOT_FOUND,
    ("GET", "/v2/health"): NOT_FOUND,
    ("GET", "/v2/models"): NOT_FOUND,
    ("GET", "/v2/models/"): NOT_FOUND,
    ("GET", "/v2/models/linear/"): NOT_FOUND,
    ("GET", "/v2/models/linear/ready/"): NOT_FOUND,
    ("POST", "/v2/models/linear/nonsense"): NOT_FOUND,
    ("GET", "/v2/models/versions/versions/-1"): NOT_FOUND,
    ("GET", "/v2/models/versions/versions/one"): NOT_FOUND,
    ("GET", "/metrics"): NOT_FOUND,
    ("POST", "/v2"): NOT_ALLOWED,
    ("DELETE", "/v2"): NOT_ALLOWED,
    ("OPTIONS", "/v2"): NOT_ALLOWED,
    ("POST", "/v2/health/live"): NOT_ALLOWED,
    ("POST", "/v2/models/linear"): NOT_ALLOWED,
    ("POST", "/v2/models/linear/config"): NOT_ALLOWED,
    ("POST", "/v2/models/linear/ready"): NOT_ALLOWED,
    ("GET", "/v2/models/linear/infer"): NOT_ALLOWED,
    ("PUT", "/v2/models/linear/infer"): NOT_ALLOWED,
    ("GET", "/v2/models/nobody"): (404, "Request for unknown model: 'nobody' is not found"),
    ("GET", "/v2/models/nobody/config"): (404, "Request for unknown model: 'nobody' is not found"),
    ("GET", "/v2/models/versions/versions/2"): (
        404,
        "Request for unknown model: 'versions' version 2 is not found",
    ),
    ("GET", "/v2/models/versions/versions/0"): (
        404,
        "Request for unknown model: 'versions' version 0 is not found",
    ),
    ("GET", "/v2/models/nobody/ready"): (400, "Model version not ready"),
    ("GET", "/v2/models/versions/versions/2/ready"): (400, "Model version not ready"),
}


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start(["linear", "versions", "optional", "init_args", "barrier"])


@pytest.mark.parametrize(
    "path",
    [
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models/linear/ready",
        "/v2/models/linear/versions/1/ready",
        "/v2/models/versions/versions/3/ready",
    ],
)
def test_what_is_well_answers_200_without_a_body(server, path):
    answer = requests.get(server.url + path, timeout=60)
    assert answer.status_code == 200
    assert answer.headers["Content-Length"] == "0"


@pytest.mark.parametrize("path", METADATA)
def test_metadata(server, path):
    answer = requests.get(server.url + path, timeout=60)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    expected = METADATA[path]
    if server.kind == "hippocamp":
        expected = expected.replace('"trace",', "")  # there is no tracing
    assert_same_json(answer.text, expected)


@pytest.mark.parametrize("model", CONFIGS)
def test_configuration(server, model):
    answer = requests.get(f"{server.url}/v2/models/{model}/config", timeout=60)
    assert answer.status_code == 200
    assert_same_json(answer.text, CONFIGS[model])


@pytest.mark.parametrize(("method", "path"), ERRORS)
def test_errors(server, method, path):
    answer = requests.request(method, server.url + path, timeout=60)
    assert (answer.status_code, error_of(answer)) == ERRORS[method, path]


def test_names_in_paths_may_be_percent_encoded(server):
    assert requests.get(f"{server.url}/v2/models/%6cinear/ready", timeout=60).status_code == 200


def test_a_model_gets_the_same_configuration_in_initialize(server):
    request = {"inputs": [{"name": "INPUT0", "datatype": "INT32", "shape": [1, 1], "data": [1]}]}
    answer = requests.post(server.infer_url("init_args"), json=request, timeout=60)
    facts = json.loads(answer.json()["outputs"][0]["data"][0])
    assert_same_json(facts["args"]["model_config"], CONFIGS["init_args"])
