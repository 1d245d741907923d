"""hippocamp check: every problem of a repository, each with its file and line."""

import subprocess

import pytest

from harness.repository import EXAMPLES, FIXTURES
from harness.server import command_of

pytestmark = pytest.mark.hippocamp_only("NVIDIA's server has no such command")

IO = (
    'input { name: "X" data_type: TYPE_FP32 dims: 1 }\n'
    'output { name: "Y" data_type: TYPE_FP32 dims: 1 }\n'
)

MODEL = "class TritonPythonModel:\n    pass\n"

# What is in config.pbtxt, and the problems with it by line.
PROBLEMS = {
    "a field that does not exist": (
        'backend: "python"\nmax_bach_size: 4\n',
        ['2: ModelConfig has no field "max_bach_size"; did you mean "max_batch_size"?'],
    ),
    "several inputs and outputs": (
        'backend: "python"\ninput [\n  { name: "A" dims: 1 },\n'
        '  { name: "B" data_type: TYPE_FP32 dims: 0 }\n]\noutput { name: "C" dims: 1 }\n',
        [
            "3: model input 'A' must specify 'data_type' for m",
            "4: model input 'B' dimension must be integer >= 1",
            "6: model output 'C' must specify 'data_type' for m",
        ],
    ),
    "a batch that is too large": (
        'backend: "python"\nmax_batch_size: 4\ndynamic_batching {\n  preferred_batch_size: 8\n}\n',
        ["3: dynamic batching preferred size must be <= max batch size for m"],
    ),
    "an unknown backend": (
        '# the backend: "python"\nbackend: "pyhton"\n',
        ["2: unable to find backend library for backend 'pyhton'"],
    ),
    "groups of instances": (
        'backend: "python"\ninstance_group [\n  { name: "one" kind: KIND_CPU },\n'
        '  { name: "two" kind: KIND_CPU gpus: 0 }\n]\n',
        ["2: instance group two of model m has kind KIND_CPU but specifies one or more GPUs"],
    ),
    "a name that is another's": (
        'backend: "python"\nname: "other"\n',
        ["2: unexpected directory name 'm' for model 'other'"],
    ),
    "versions that are not there": (
        'backend: "python"\nversion_policy {\n  specific { versions: 3 } }\n',
        ["2: at least one version must be available under the version policy of model 'm'"],
    ),
    "labels that are not there": (
        'backend: "python"\noutput {\n  name: "Y" data_type: TYPE_FP32 dims: 1\n'
        '  label_filename: "labels.txt" }\n',
        ["labels.txt"],
    ),
    "a model of an ensemble that is not there": (
        f'platform: "ensemble"\n{IO}ensemble_scheduling {{ step {{\n  model_name: "nobody"\n'
        '  input_map { key: "a" value: "X" }\n  output_map { key: "b" value: "Y" } } }\n',
        ["5: ensemble m contains models that are not available or ambiguous: 'nobody'"],
    ),
}


def check(*words):
    """The exit status of the check and what it prints, line by line."""
    command = [*command_of("hippocamp"), "check", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout.splitlines()


@pytest.mark.parametrize("name", PROBLEMS)
def test_problems_are_told_with_their_lines(servers, name):
    config, expected = PROBLEMS[name]
    repository = servers.repository().write("m/config.pbtxt", config).write("m/1/model.py", MODEL)
    status, lines = check(repository.path)
    assert status == 1
    *problems, summary = lines
    for problem, message in zip(problems, expected, strict=True):
        assert problem.startswith(f"{repository.path}/m/config.pbtxt:"), problem
        assert message in problem.removeprefix(f"{repository.path}/m/config.pbtxt:")
    assert summary == f"1 model, {len(expected)} problem{'s' * (len(expected) != 1)}"


def test_all_models_are_looked_at(servers):
    repository = servers.repository().add("says").add("gate")
    repository.remove("gate/1/model.py").write("odd/config.pbtxt", "speed: 1")
    status, lines = check(repository.path)
    assert status == 1
    assert [line.split(":")[0] for line in lines[:-1]] == [
        f"{repository.path}/gate/1/model.py",
        f"{repository.path}/odd/config.pbtxt",
    ]
    assert lines[-1] == "3 models, 2 problems"


def test_several_repositories_are_one(servers):
    first = servers.repository().add("says")
    second = servers.repository().add("says").add("gate")
    status, lines = check(first.path, second.path)
    assert status == 1
    assert lines == ["says: model appears in two or more repositories", "2 models, 1 problem"]


def test_what_is_right_passes(servers):
    """The examples, and the fixtures with what the ensemble among them is made of."""
    parts = servers.repository()
    for name in ("first", "second", "third"):
        parts.add("identity", name=name)
    for repositories in ([FIXTURES, parts.path], [EXAMPLES]):
        status, lines = check(*repositories)
        assert status == 0, lines
        assert lines[-1].endswith(" 0 problems")


def test_a_repository_must_be_there():
    status, lines = check("/nowhere")
    assert status == 1
    assert "No such file or directory" in lines[0]
    assert check()[0] == 1


# ---- Options ----


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--modle-repository=x"], "there is no such option; did you mean --model-repository?"),
        (["--http-prot", "8000"], "there is no such option; did you mean --http-port?"),
        (["--http-port"], "its value is missing"),
        (["--http-port=many"], "'many' is not a value for it"),
        (["--http-port=70000", "--model-repository=x"], "a port is at most 65535"),
        (["--version=1"], "it takes no value"),
        (["--allow-sagemaker=true"], "'true' is not a value for it"),
        (["serve"], "Unexpected argument"),
        ([], "--model-repository must be specified"),
    ],
)
def test_wrong_options_are_told(words, message):
    command = [*command_of("hippocamp"), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert message in done.stderr


def test_options_of_the_other_server_are_taken(servers):
    servers.start(
        "says",
        "--backend-config=python,shm-default-byte-size=1048576",
        "--pinned-memory-pool-byte-size=0",
        "--cuda-memory-pool-byte-size=0:0",
        "--min-supported-compute-capability=7.5",
        "--allow-sagemaker=false",
        "--strict-model-config=false",
        "--metrics-interval-ms=500.5",
        "--buffer-manager-thread-count=4",
    )


def test_help_is_grouped_and_fits_a_terminal():
    command = [*command_of("hippocamp"), "--help"]
    text = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout
    for heading in ("General:", "Models:", "HTTP:", "Metrics:", "Log:"):
        assert f"\n{heading}\n" in text
    assert max(map(len, text.splitlines())) <= 100
