"""What the server does with GPUs, on a driver that only pretends to have them: placing, staging,
batches, graphs, shared memory."""

import base64
import concurrent.futures
import contextlib

import numpy as np
import pytest
import requests
import torch

from gpu_models import (
    CLIENTS,
    ON_GPU,
    add_mlp,
    as_sent,
    exact,
    gpu_tensor_says,
    infer,
    infer_gpu_tensor,
    infer_in_regions,
    pretended_region,
)
from harness import gpu
from harness.infer import error_of

pytestmark = pytest.mark.hippocamp_only("NVIDIA's server takes no driver that only pretends")

if not gpu.has_kernels():
    pytest.skip("this build has no kernels for GPUs", allow_module_level=True)


def environment(fake_cuda, **variables):
    return {"LD_LIBRARY_PATH": str(fake_cuda), **variables}


WIDTHS = {"even": (32, 48, 16), "odd": (19, 33, 7), "deep": (5, 9, 9, 9, 3)}


@pytest.fixture(scope="module")
def models():
    return {}


@pytest.fixture(scope="module")
def server(module_servers, fake_cuda, models):
    repository = module_servers.repository()
    for name, widths in WIDTHS.items():
        models[name] = add_mlp(repository, name, widths)
    for name, dtype in {"half": torch.float16, "bfloat": torch.bfloat16}.items():
        models[name] = add_mlp(repository, name, (20, 40, 10), dtype=dtype)
    for name, widths in {"large": (1000, 16), "vast": (20000, 4)}.items():
        models[name] = add_mlp(repository, name, widths)
    models["auto"] = add_mlp(repository, "auto", (4, 3), config="max_batch_size: 4\n")
    models["two"] = add_mlp(
        repository,
        "two",
        (64, 64, 8),
        config="max_batch_size: 64\ndynamic_batching { }\n"
        "instance_group { count: 2 kind: KIND_GPU gpus: [ 1 ] }\n",
    )
    repository.add("identity")
    repository.add("gpu_tensors")
    return module_servers.start(
        repository, environment=environment(fake_cuda, FAKE_CUDA_DEVICES="2")
    )


def numbers(n_rows, width, seed=0):
    return np.random.default_rng(seed).normal(size=(n_rows, width)).astype(np.float32)


@pytest.mark.parametrize("name", WIDTHS)
def test_answers_are_exact_and_stay_so_as_a_shape_comes_again(server, models, name):
    for turn in range(4):
        for n_rows in (1, 2, 33, 300):
            x = numbers(n_rows, WIDTHS[name][0], turn)
            np.testing.assert_allclose(
                infer(server, name, x), exact(models[name], x), rtol=1e-5, atol=1e-6
            )


@pytest.mark.parametrize(("name", "n_rows"), [("large", 200), ("vast", 450)])
def test_inputs_that_go_in_slices_and_batches(server, models, name, n_rows):
    x = numbers(n_rows, models[name][0].in_features)
    for _ in range(3):
        y = infer(server, name, x)
        np.testing.assert_allclose(y, exact(models[name], x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "datatype"), [("half", "FP16"), ("bfloat", "BF16")])
def test_narrow_weights(server, models, name, datatype):
    x = as_sent(numbers(6, 20), models[name][0].weight.dtype)
    y = infer(server, name, x, datatype).astype(np.float64)
    np.testing.assert_allclose(y, exact(models[name], x), rtol=0.03, atol=0.03)


def test_instances_are_where_the_config_wants_them(server):
    def groups(name):
        config = requests.get(f"{server.url}/v2/models/{name}/config", timeout=60).json()
        return [(g["kind"], g["gpus"], g["count"]) for g in config["instance_group"]]

    assert groups("auto") == [("KIND_GPU", [0, 1], 1)]
    assert groups("two") == [("KIND_GPU", [1], 2)]


def test_requests_at_a_time_are_put_together_and_taken_apart(server, models):
    def one(i):
        x = numbers(1 + i % 7, 64, i)
        np.testing.assert_allclose(
            infer(server, "two", x), exact(models["two"], x), rtol=1e-5, atol=1e-6
        )

    with concurrent.futures.ThreadPoolExecutor(12) as threads:
        list(threads.map(one, range(120)))


# ---- Shared memory ----


@pytest.fixture(params=CLIENTS)
def shared(request, server):
    """A client, and two registered regions of 64 KiB."""
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(CLIENTS[request.param][1](server))
        memories = {}
        for name in "xy":
            memories[name], handle = stack.enter_context(pretended_region(65536))
            client.register_cuda_shared_memory(name, handle, 1, 65536)
        yield request.param, client, memories
        memories.clear()
        client.unregister_cuda_shared_memory()


@pytest.mark.parametrize("name", ["two", "odd", "even"])
@pytest.mark.parametrize("at", [0, 256, 4, 6])
def test_tensors_in_a_gpus_memory(shared, models, name, at):
    protocol, client, memories = shared
    width, n_out = models[name][0].in_features, models[name][-1].out_features
    for turn in range(3):
        x = numbers(5, width, turn)
        memories["x"][at : at + x.nbytes] = x.tobytes()
        y_size = 5 * n_out * 4
        infer_in_regions(protocol, client, name, x.shape, x.nbytes, y_size, at, at)
        y = np.frombuffer(memories["y"][at : at + y_size], np.float32).reshape(5, n_out)
        np.testing.assert_allclose(y, exact(models[name], x), rtol=1e-5, atol=1e-6)


def test_models_that_are_elsewhere_get_a_copy(shared):
    protocol, client, memories = shared
    module = CLIENTS[protocol][0]
    x = numbers(1, 4)
    memories["x"][: x.nbytes] = x.tobytes()
    given = module.InferInput("INPUT0", [4], "FP32")
    given.set_shared_memory("x", x.nbytes)
    wanted = module.InferRequestedOutput("OUTPUT0")
    wanted.set_shared_memory("y", x.nbytes)
    client.infer("identity", [given], outputs=[wanted])
    assert memories["y"][: x.nbytes] == x.tobytes()


def test_an_output_that_does_not_fit_is_refused(shared):
    protocol, client, memories = shared
    memories["y"][:64] = b"\1" * 64
    with pytest.raises(Exception, match="should be at least 160 bytes to hold the results"):
        infer_in_regions(protocol, client, "two", (5, 64), 5 * 64 * 4, 64)
    assert memories["y"][:64] == b"\1" * 64


def test_many_at_a_time_partly_in_a_gpus_memory(shared, server, models):
    protocol, client, memories = shared
    x = numbers(16, 64)
    memories["x"][: x.nbytes] = x.tobytes()
    expected = exact(models["two"], x)

    def elsewhere(i):
        other = numbers(1 + i % 3, 64, i)
        np.testing.assert_allclose(
            infer(server, "two", other), exact(models["two"], other), rtol=1e-5, atol=1e-6
        )

    with concurrent.futures.ThreadPoolExecutor(6) as threads:
        others = [threads.submit(elsewhere, i) for i in range(60)]
        for i in range(30):
            n_rows, at = 1 + i % 16, 1024 * (i % 8)
            infer_in_regions(
                protocol, client, "two", (n_rows, 64), n_rows * 256, n_rows * 32, 0, at
            )
            y = np.frombuffer(memories["y"][at : at + n_rows * 32], np.float32).reshape(-1, 8)
            np.testing.assert_allclose(y, expected[:n_rows], rtol=1e-5, atol=1e-6)
        for other in others:
            other.result()


def test_what_is_registered_is_told(shared):
    protocol, client, _ = shared
    status = client.get_cuda_shared_memory_status()
    if protocol == "http":
        assert sorted(status, key=lambda r: r["name"]) == [
            {"name": name, "device_id": 1, "byte_size": 65536} for name in "xy"
        ]
        assert client.get_system_shared_memory_status() == []
    else:
        found = status.regions["x"]
        assert (found.name, found.device_id, found.byte_size) == ("x", 1, 65536)
        assert sorted(status.regions) == ["x", "y"]
    client.unregister_cuda_shared_memory("x")
    with pytest.raises(Exception, match="Unable to find cuda shared memory region: 'x'"):
        client.get_cuda_shared_memory_status("x")
    with pytest.raises(Exception, match="is registered as CUDA shared memory, not system"):
        client.get_system_shared_memory_status("y")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"device_id": 2}, "there is no GPU 2"),
        ({"device_id": -1}, "there is no GPU -1"),
        ({"byte_size": 65537}, "invalid args"),
        ({"byte_size": 0}, "invalid args"),
        ({"raw_handle": {"b64": base64.b64encode(b"/nobody".ljust(64, b"\0")).decode()}}, "GPU:"),
    ],
)
def test_regions_that_cannot_be(server, change, message):
    with pretended_region(65536) as (_, handle):
        content = {"raw_handle": {"b64": handle.decode()}, "device_id": 0, "byte_size": 65536}
        answer = requests.post(
            f"{server.url}/v2/cudasharedmemory/region/z/register",
            json={**content, **change},
            timeout=60,
        )
    assert answer.status_code == 400
    assert error_of(answer).startswith("failed to register CUDA shared memory region 'z': ")
    assert message in error_of(answer)


# ---- Python models ----


@pytest.mark.parametrize("n", [2, 1000, 100000])
def test_a_python_model_gives_a_tensor_in_a_gpus_memory(server, n):
    x = np.random.default_rng(n).normal(size=n).astype(np.float32)
    y, says = infer_gpu_tensor(server, x)
    np.testing.assert_array_equal(y, x)
    assert says == gpu_tensor_says(n)


# ---- What goes wrong ----


def test_a_gpu_that_fails_fails_the_request(servers, fake_cuda):
    repository = servers.repository()
    add_mlp(repository, "model", (8, 8))
    server = servers.start(repository, environment=environment(fake_cuda, FAKE_CUDA_FAIL_AFTER="2"))
    x = numbers(1, 8)
    for _ in range(2):
        infer(server, "model", x)
    for _ in range(3):
        with pytest.raises(Exception, match="GPU: running a model failed: unspecified launch"):
            infer(server, "model", x)
    assert server.stop() == 0


def test_gpus_that_are_not_there_are_refused(servers, fake_cuda):
    repository = servers.repository()
    add_mlp(repository, "model", (8, 8))
    add_mlp(repository, "third", (8, 8), config="instance_group { kind: KIND_GPU gpus: [ 2 ] }\n")
    server = servers.start(
        repository,
        "--exit-on-error=false",
        "--strict-readiness=false",
        environment=environment(fake_cuda, FAKE_CUDA_DEVICES="2"),
    )
    assert "specifies invalid or unsupported gpu id 2" in server.log()
    assert infer(server, "model", numbers(3, 8)).shape == (3, 8)


def test_a_model_comes_and_goes_while_it_is_asked(servers, fake_cuda):
    repository = servers.repository()
    module = add_mlp(repository, "model", (16, 16, 4), config=ON_GPU)
    server = servers.start(
        repository, "--model-control-mode=explicit", environment=environment(fake_cuda)
    )
    for _ in range(3):
        load = requests.post(f"{server.url}/v2/repository/models/model/load", timeout=60)
        assert load.status_code == 200
        x = numbers(9, 16)
        np.testing.assert_allclose(
            infer(server, "model", x), exact(module, x), rtol=1e-5, atol=1e-6
        )
        requests.post(f"{server.url}/v2/repository/models/model/unload", timeout=60)
    assert server.stop() == 0


def test_instances_move_between_gpus_and_the_processor(servers, fake_cuda):
    repository = servers.repository()
    module = add_mlp(repository, "model", (16, 16, 4))
    server = servers.start(
        repository,
        "--model-control-mode=explicit",
        "--load-model=model",
        environment=environment(fake_cuda, FAKE_CUDA_DEVICES="2"),
    )
    config = (repository.path / "model/config.pbtxt").read_text()
    x = numbers(9, 16)
    for group in ("kind: KIND_CPU", "kind: KIND_GPU gpus: [ 1 ]", "count: 3", "kind: KIND_CPU"):
        moved = config.replace("kind: KIND_GPU", group)
        repository.write("model/config.pbtxt", moved)
        load = requests.post(f"{server.url}/v2/repository/models/model/load", timeout=60)
        assert load.status_code == 200, load.text
        for _ in range(3):
            np.testing.assert_allclose(
                infer(server, "model", x), exact(module, x), rtol=1e-5, atol=1e-6
            )
    assert server.stop() == 0
