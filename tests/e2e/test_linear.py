"""Native linear models: the server runs them itself, straight from the file of weights."""

import concurrent.futures

import numpy as np
import pytest
import requests
import torch
import tritonclient.http as triton
from torch import nn

from harness import gpu
from harness.infer import body, error_of, outputs, post, tensor
from harness.weights import SAVED, add_model

pytestmark = pytest.mark.hippocamp_only("NVIDIA's server has no such backend")

ROUNDING = 2.0**-24


def infer(server, model, x, datatype="FP32"):
    given = triton.InferInput("x", x.shape, datatype)
    given.set_data_from_numpy(x)
    with triton.InferenceServerClient(server.address, network_timeout=60) as client:
        return client.infer(model, [given]).as_numpy("y")


def native_seed(repository, edit=None):
    return repository.add("linear", edit={'backend: "python"': 'backend: "linear"', **(edit or {})})


@pytest.fixture(scope="module")
def seed(module_servers):
    return module_servers.start(native_seed(module_servers.repository()))


@pytest.mark.parametrize("n_rows", [1, 2, 3, 4])
def test_the_seed_is_served_with_one_word_changed(seed, n_rows):
    x = np.random.default_rng(n_rows).normal(0, 100, (n_rows, 3)).astype(np.float32)
    w = np.array([0.5, 0.25, -0.125])
    y = infer(seed, "linear", x)
    y64 = x.astype(np.float64) @ w[:, None] + 1
    bound = 2 * (3 + 1) * ROUNDING * (np.abs(x) @ np.abs(w)[:, None] + 1)
    assert y.shape == (n_rows, 1)
    assert (np.abs(y - y64) <= bound).all()


def test_no_python_is_started(seed):
    assert len(seed.pids()) == 1


def test_metadata_is_that_of_the_config(seed):
    metadata = requests.get(f"{seed.url}/v2/models/linear", timeout=60).json()
    assert metadata["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 3]}]
    assert metadata["outputs"] == [{"name": "y", "datatype": "FP32", "shape": [-1, 1]}]


def test_requests_are_checked_as_for_any_model(seed):
    answer = post(seed, "linear", body(tensor("x", "FP32", [1, 4], [1, 2, 3, 4])))
    assert answer.status_code == 400
    assert "unexpected shape for input 'x' for model 'linear'" in error_of(answer)
    answer = post(seed, "linear", body(tensor("x", "FP64", [1, 3], [1, 2, 3])))
    assert answer.status_code == 400


def test_what_it_did_is_counted(seed):
    before = requests.get(f"{seed.url}/v2/models/linear/stats", timeout=60)
    infer(seed, "linear", np.ones((2, 3), np.float32))
    after = requests.get(f"{seed.url}/v2/models/linear/stats", timeout=60)
    if before.status_code == 200:
        counts = [a.json()["model_stats"][0]["inference_count"] for a in (before, after)]
        assert counts[1] == counts[0] + 2


@pytest.mark.parametrize(("n_in", "n_out"), [(1, 1), (3, 5), (17, 33), (784, 10), (1000, 257)])
def test_one_layer_is_as_exact_as_torch_is(module_servers, n_in, n_out):
    torch.manual_seed(n_in)
    module = nn.Linear(n_in, n_out).eval()
    repository = module_servers.repository()
    add_model(repository, "one", module)
    server = module_servers.start(repository)
    w, b = module.weight.detach().double().numpy(), module.bias.detach().double().numpy()
    for n_rows in (1, 2, 5, 64, 300):
        x = torch.randn(n_rows, n_in).numpy()
        y64 = x.astype(np.float64) @ w.T + b
        bound = 2 * (n_in + 1) * ROUNDING * (np.abs(x) @ np.abs(w).T + np.abs(b))
        with torch.no_grad():
            assert (np.abs(module(torch.from_numpy(x)).numpy() - y64) <= bound).all()
        assert (np.abs(infer(server, "one", x) - y64) <= bound).all()


def mlp():
    torch.manual_seed(7)
    return nn.Sequential(
        nn.Linear(20, 48), nn.ReLU(), nn.Dropout(), nn.Linear(48, 11), nn.GELU(), nn.Linear(11, 5)
    ).eval()


@pytest.fixture(scope="module")
def forms(module_servers):
    """A server with the same stack in every form in which weights come."""
    repository = module_servers.repository()
    for i, saved in enumerate(SAVED):
        add_model(repository, f"form_{i}", mlp(), saved)
    return module_servers.start(repository)


@pytest.mark.parametrize("saved", SAVED)
def test_every_form_of_weights_gives_the_same_answers(forms, saved):
    x = torch.randn(9, 20)
    with torch.no_grad():
        expected = mlp()(x).numpy()
    y = infer(forms, f"form_{list(SAVED).index(saved)}", x.numpy())
    np.testing.assert_allclose(y, expected, rtol=2e-5, atol=2e-6)


def test_an_array_alone_is_a_weight(servers):
    repository = servers.repository()
    w = np.asfortranarray(np.random.default_rng(1).normal(size=(4, 6)).astype(np.float32))
    repository.write("array/config.pbtxt", 'backend: "linear"\nmax_batch_size: 8\n')
    repository.write("array/1/weights/README", "what else lies there is not looked at")
    np.save(repository.path / "array/1/weights/w.npy", w)
    server = servers.start(repository)
    x = np.ones((2, 6), np.float32)
    np.testing.assert_allclose(infer(server, "array", x), x @ w.T, rtol=1e-5)


def test_tied_strided_and_sliced_weights_are_read_where_they_are(servers):
    torch.manual_seed(3)
    shared = torch.randn(40, 64)
    module = nn.Sequential(
        nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 16), nn.Linear(16, 8, bias=False)
    )
    module[0].weight.data = shared[3:19, 5:21]
    module[2].weight = module[0].weight
    module[3].weight.data = shared.t()[10:26, 4:12].t()
    repository = servers.repository()
    add_model(repository, "views", module)
    server = servers.start(repository)
    x = torch.randn(3, 16)
    with torch.no_grad():
        np.testing.assert_allclose(
            infer(server, "views", x.numpy()), module.eval()(x).numpy(), rtol=2e-5, atol=1e-5
        )


def test_sections_are_completed_from_the_weights(forms):
    config = requests.get(f"{forms.url}/v2/models/form_0/config", timeout=60).json()
    x, y = config["input"][0], config["output"][0]
    assert (x["name"], x["data_type"], x["dims"]) == ("x", "TYPE_FP32", ["-1", "20"]) or (
        x["dims"] == [-1, 20]
    )
    assert (y["name"], y["data_type"]) == ("y", "TYPE_FP32") and [int(d) for d in y["dims"]] == [
        -1,
        5,
    ]


@pytest.mark.parametrize(
    ("dims_in", "dims_out", "shape"), [("2, -1, 20", "2, -1, 5", (2, 3, 20)), ("20", "5", (20,))]
)
def test_rows_have_any_shape(servers, dims_in, dims_out, shape):
    repository = servers.repository()
    config = (
        f'input {{ name: "x" data_type: TYPE_FP32 dims: [ {dims_in} ] }}\n'
        f'output {{ name: "y" data_type: TYPE_FP32 dims: [ {dims_out} ] }}\n'
    )
    add_model(repository, "shaped", mlp(), config=config)
    x = torch.randn(shape)
    with torch.no_grad():
        expected = mlp()(x).numpy()
    y = infer(servers.start(repository), "shaped", x.numpy())
    np.testing.assert_allclose(y, expected, rtol=2e-5, atol=2e-6)


def io(x="FP32 20", y="FP32 5", names=("x", "y")):
    sections = zip(("input", "output"), names, (x.split(" ", 1), y.split(" ", 1)))
    return "".join(
        f'{section} {{ name: "{name}" data_type: TYPE_{dtype} dims: [ {dims} ] }}\n'
        for section, name, (dtype, dims) in sections
    )


REFUSED_CONFIGS = {
    "width": (io(x="FP32 21"), "but the weights are for a last dimension of 20"),
    "output width": (io(y="FP32 4"), "but the weights are for a last dimension of 5"),
    "type": (io(x="INT32 20"), "but the weights are for TYPE_FP32, TYPE_FP16 or TYPE_BF16"),
    "wider type": (io(y="FP64 5"), "but the weights are for TYPE_FP32, TYPE_FP16 or TYPE_BF16"),
    "rows": (io(x="FP32 2, 20"), "must have the dimensions of input 'x'"),
    "two inputs": (
        io() + 'input { name: "z" data_type: TYPE_FP32 dims: [ 20 ] }\n',
        "a linear model has one input and one output",
    ),
    "file": ('default_model_filename: "other.pt"\n', "other.pt: cannot be opened"),
}
if gpu.count() == 0:
    REFUSED_CONFIGS["gpu"] = (
        "instance_group { kind: KIND_GPU }\n",
        "KIND_GPU but no GPUs are available",
    )


def test_configs_that_do_not_fit_are_refused(servers):
    repository = servers.repository()
    native_seed(repository)
    for i, (config, _) in enumerate(REFUSED_CONFIGS.values()):
        add_model(repository, f"bad_{i}", mlp(), config=config)
    server = servers.start(repository, "--exit-on-error=false", "--strict-readiness=false")
    index = requests.post(f"{server.url}/v2/repository/index", timeout=60).json()
    reasons = {entry["name"]: entry.get("reason", "") for entry in index}
    for i, (_, message) in enumerate(REFUSED_CONFIGS.values()):
        assert message in reasons[f"bad_{i}"] or message in server.log(), (i, reasons)
    assert infer(server, "linear", np.ones((1, 3), np.float32)) == 1.625


def test_several_requests_at_a_time_get_their_own_answers(servers):
    torch.manual_seed(5)
    module = nn.Sequential(nn.Linear(200, 400), nn.ReLU(), nn.Linear(400, 30)).eval()
    repository = servers.repository()
    add_model(repository, "busy", module, config="instance_group { count: 3 kind: KIND_AUTO }\n")
    server = servers.start(repository)

    def one(i):
        x = torch.full((1 + i % 40, 200), i / 100)
        with torch.no_grad():
            np.testing.assert_allclose(
                infer(server, "busy", x.numpy()), module(x).numpy(), rtol=2e-5, atol=2e-5
            )

    with concurrent.futures.ThreadPoolExecutor(16) as threads:
        list(threads.map(one, range(200)))
    assert server.stop() == 0


def test_the_number_of_rows_may_be_none_or_many(forms):
    for n_rows in (0, 1000):
        y = infer(forms, "form_0", np.zeros((n_rows, 20), np.float32))
        assert y.shape == (n_rows, 5)


def test_json_works_as_for_any_model(forms):
    answer = post(forms, "form_0", body(tensor("x", "FP32", [1, 20], [0.5] * 20)))
    with torch.no_grad():
        expected = mlp()(torch.full((1, 20), 0.5)).numpy().ravel()
    np.testing.assert_allclose(outputs(answer)["y"], expected, rtol=2e-5, atol=2e-6)


def test_layers_must_be_said_where_the_file_does_not(servers):
    repository = servers.repository()
    words = {
        "wrong": "linear relu linear",
        "many": "linear linear linear linear",
        "odd": "linear conv linear linear",
    }
    for name, layers in words.items():
        parameter = f'parameters {{ key: "layers" value: {{ string_value: "{layers}" }} }}\n'
        add_model(repository, name, mlp(), "state dict", parameter)
    repository.write("silent/config.pbtxt", 'backend: "linear"\n')
    (repository.path / "silent/1").mkdir()
    torch.save(mlp().state_dict(), repository.path / "silent/1/model.pt")
    server = servers.start(repository, "--exit-on-error=false", "--strict-readiness=false")
    for message in [
        "names fewer layers with weights than the 3",
        "names more layers with weights than the 3",
        "has 'conv', which is no layer",
        "holds the tensors of 3 layers, but not what lies between them",
    ]:
        assert message in server.log()
