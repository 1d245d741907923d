"""Configs that the model completes itself, by auto_complete_config."""

import pytest
import requests

from harness.control import EXPLICIT, load
from harness.infer import body, error_of, outputs, post, tensor

MODEL = """
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    @staticmethod
    def auto_complete_config(config):
{lines}

    def execute(self, requests):
        return [
            pb_utils.InferenceResponse(
                [pb_utils.Tensor("OUT", pb_utils.get_input_tensor_by_name(r, "IN").as_numpy())]
            )
            for r in requests
        ]
"""

IN = 'config.add_input({"name": "IN", "data_type": "TYPE_INT32", "dims": [2]})'
OUT = 'config.add_output({"name": "OUT", "data_type": "TYPE_INT32", "dims": [2]})'
IN_CONFIG = 'input [{ name: "IN" data_type: TYPE_INT32 dims: [ 2 ] }]\n'
OUT_CONFIG = 'output [{ name: "OUT" data_type: TYPE_INT32 dims: [ 2 ] }]\n'
RETURN = "return config"
BATCHING = {
    "preferred_batch_size": [8],
    "max_queue_delay_microseconds": 0,
    "preserve_ordering": False,
    "priority_levels": 0,
    "default_priority_level": 0,
    "priority_queue_policy": {},
}

# The config as it is in its file (None: there is none), the lines of auto_complete_config, and
# what then is in the config.
COMPLETED = {
    "nothing": (None, [IN, OUT, RETURN], {"max_batch_size": 0}),
    "rows": (None, ["config.set_max_batch_size(8)", IN, OUT, RETURN], {"max_batch_size": 8}),
    "only_input": (OUT_CONFIG, [IN, RETURN], {"max_batch_size": 0}),
    "the_same_again": (IN_CONFIG + OUT_CONFIG, [IN, OUT, RETURN], {"max_batch_size": 0}),
    "optional": (
        OUT_CONFIG,
        [
            IN,
            'config.add_input({"name": "B", "data_type": "TYPE_INT32", "dims": [2],'
            ' "optional": True})',
            RETURN,
        ],
        {"max_batch_size": 0},
    ),
    "batching": (
        None,
        ["config.set_max_batch_size(8)", "config.set_dynamic_batching()", IN, OUT, RETURN],
        {"max_batch_size": 8, "dynamic_batching": BATCHING},
    ),
    "fewer_rows": (
        "max_batch_size: 2\n" + IN_CONFIG + OUT_CONFIG,
        ["config.set_max_batch_size(4)", RETURN],
        {"max_batch_size": 4},
    ),
    "decoupled": (
        None,
        ['config.set_model_transaction_policy({"decoupled": True})', IN, OUT, RETURN],
        {"model_transaction_policy": {"decoupled": True}},
    ),
    "looks": (
        "max_batch_size: 8\n" + IN_CONFIG + OUT_CONFIG,
        ['assert config.as_dict()["max_batch_size"] == 8', RETURN],
        {"max_batch_size": 8},
    ),
}

# The same, and what loading it fails with.
REFUSED = {
    "more_rows": (
        "max_batch_size: 8\n",
        ["config.set_max_batch_size(4)", IN, OUT, RETURN],
        "configuration specified max_batch_size 8, but in auto-complete-config function for model "
        "'more_rows' specified max_batch_size 4",
    ),
    "other_type": (
        IN_CONFIG.replace("INT32", "FP32"),
        [IN, OUT, RETURN],
        "unable to load model 'other_type', configuration expects datatype TYPE_FP32 for input "
        "'IN', model provides TYPE_INT32",
    ),
    "other_dims": (
        IN_CONFIG.replace("[ 2 ]", "[ 3 ]"),
        [IN, OUT, RETURN],
        "model 'other_dims', tensor 'IN': the model expects dims [2] but the model configuration "
        "specifies dims [3]",
    ),
    "unknown_member": (
        None,
        ['config.add_input({"name": "IN", "colour": 1})', RETURN],
        "input 'IN' in auto-complete-config function for model 'unknown_member' contains property "
        "other than 'name', 'data_type', 'dims' and 'optional'.",
    ),
    "no_name": (
        None,
        ['config.add_input({"data_type": "TYPE_INT32", "dims": [2]})', RETURN],
        "input in auto-complete-config function for model 'no_name' is missing 'name' property.",
    ),
    "two_schedulers": (
        "max_batch_size: 8\nsequence_batching { }\n" + IN_CONFIG + OUT_CONFIG,
        ["config.set_dynamic_batching()", RETURN],
        "Configuration specified scheduling_choice as 'sequence_batching', but "
        "auto-complete-config function for model 'two_schedulers' tries to set scheduling_choice "
        "as 'dynamic_batching'",
    ),
    "unknown_policy": (
        None,
        ['config.set_model_transaction_policy({"colour": 1})', IN, OUT, RETURN],
        "model transaction property in auto-complete-config function for model 'unknown_policy' "
        "contains property other than 'decoupled'.",
    ),
    "raises": (None, ['raise ValueError("not today")'], "not today"),
}


@pytest.fixture(scope="module")
def server(module_servers):
    repository = module_servers.repository()
    for name, (config, lines, _) in (COMPLETED | REFUSED).items():
        text = "\n".join(f"        {line}" for line in lines)
        repository.write(f"{name}/1/model.py", MODEL.format(lines=text))
        if config is not None:
            repository.write(f"{name}/config.pbtxt", 'backend: "python"\n' + config)
    return module_servers.start(repository, EXPLICIT)


def config_of(server, model):
    return requests.get(f"{server.url}/v2/models/{model}/config", timeout=60).json()


@pytest.mark.parametrize("name", COMPLETED)
def test_the_model_completes_its_config(server, name):
    answer = load(server, name)
    assert answer.status_code == 200, answer.text
    config = config_of(server, name)
    expected = COMPLETED[name][2]
    assert {key: config.get(key) for key in expected} == expected
    assert [(item["name"], item["data_type"], item["dims"]) for item in config["output"]] == [
        ("OUT", "TYPE_INT32", [2])
    ]
    if name != "decoupled":
        shape = [1, 2] if config["max_batch_size"] > 0 else [2]
        answer = post(server, name, body(tensor("IN", "INT32", shape, [1, 2])))
        assert outputs(answer) == {"OUT": [1, 2]}


@pytest.mark.parametrize("name", REFUSED)
def test_what_contradicts_the_config_is_refused(server, name):
    answer = load(server, name)
    assert answer.status_code == 400
    assert error_of(answer).startswith(
        f"load failed for model '{name}': version 1 is at UNAVAILABLE state: "
        f"Internal: ValueError: {REFUSED[name][2]}\n"
    )
    assert "model.py(8): auto_complete_config" in error_of(answer)


def test_nothing_is_completed_where_that_is_not_wanted(servers):
    repository = servers.repository()
    repository.write("plain/1/model.py", MODEL.format(lines="        raise ValueError"))
    config = 'name: "plain"\nbackend: "python"\n' + IN_CONFIG + OUT_CONFIG
    repository.write("plain/config.pbtxt", config)
    server = servers.start(repository, "--disable-auto-complete-config")
    answer = post(server, "plain", body(tensor("IN", "INT32", [2], [1, 2])))
    assert outputs(answer) == {"OUT": [1, 2]}
