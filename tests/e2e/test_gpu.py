"""What needs a real GPU. Where there is one, none of these skips; where there is none, each says
so."""

import contextlib

import numpy as np
import pytest
import requests

from gpu_models import (
    CLIENTS,
    add_mlp,
    exact,
    gpu_tensor_says,
    infer,
    infer_gpu_tensor,
    infer_in_regions,
)
from harness import gpu
from harness.metrics import Metrics

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.hippocamp_only("NVIDIA's server has no such backend"),
]


@pytest.fixture(autouse=True, scope="module")
def there_is_a_gpu():
    gpu.require()


WIDTHS = {"mlp": (784, 512, 512, 10), "odd": (301, 77, 513, 5)}


@pytest.fixture(scope="module")
def models():
    return {}


@pytest.fixture(scope="module")
def server(module_servers, models):
    repository = module_servers.repository()
    for name, widths in WIDTHS.items():
        models[name] = add_mlp(repository, name, widths)
    repository.add("identity")
    repository.add("gpu_tensors")
    return module_servers.start(repository)


def test_instances_of_python_models_are_on_gpus(server):
    config = requests.get(f"{server.url}/v2/models/identity/config", timeout=60).json()
    (group,) = config["instance_group"]
    assert (group["kind"], group["gpus"]) == ("KIND_GPU", list(range(gpu.count())))


def test_metrics_tell_of_the_gpu(server):
    families = Metrics(server).families
    for name in (
        "nv_gpu_utilization",
        "nv_gpu_memory_total_bytes",
        "nv_gpu_memory_used_bytes",
        "nv_gpu_power_usage",
        "nv_gpu_power_limit",
    ):
        values = [s.value for s in families[name].samples]
        assert len(values) == gpu.count() and all(v >= 0 for v in values), name
    (sample, *_) = families["nv_gpu_memory_used_bytes"].samples
    assert sample.value > 100 << 20 and "gpu_uuid" in sample.labels


# ---- Python models ----


@pytest.mark.parametrize("n", [2, 1000, 100000])
def test_a_python_model_gives_a_tensor_in_a_gpus_memory(server, n):
    x = np.random.default_rng(n).normal(size=n).astype(np.float32)
    y, says = infer_gpu_tensor(server, x)
    np.testing.assert_array_equal(y, x)
    assert says == gpu_tensor_says(n)


FRAMEWORKS = {
    "torch": "torch.from_numpy(x).cuda() * 2",
    "cupy": "cupy.asarray(x) * 2",
    "torch_strided": "(torch.from_numpy(x).cuda() * 2)[::2]",
}

FRAMEWORK_MODEL = """
import {module}
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        responses = []
        for request in requests:
            x = pb_utils.get_input_tensor_by_name(request, "x").as_numpy()
            y = pb_utils.Tensor.from_dlpack("y", {value})
            back = {module}.from_dlpack(y)
            assert "cuda" in str(back.device).lower(), back.device
            responses.append(pb_utils.InferenceResponse([pb_utils.Tensor.from_dlpack("y", back)]))
        return responses
"""


@pytest.fixture(scope="module")
def frameworks(module_servers):
    repository = module_servers.repository()
    for name, value in FRAMEWORKS.items():
        module = name.split("_")[0]
        repository.write(
            f"{name}/config.pbtxt",
            'backend: "python"\ninput { name: "x" data_type: TYPE_FP32 dims: [ -1 ] }\n'
            'output { name: "y" data_type: TYPE_FP32 dims: [ -1 ] }\n',
        )
        repository.write(f"{name}/1/model.py", FRAMEWORK_MODEL.format(module=module, value=value))
    return module_servers.start(repository)


@pytest.mark.parametrize("name", ["torch", "cupy"])
def test_frameworks_give_tensors_in_its_memory(frameworks, name):
    for n in (1, 1000, 1000000):
        x = np.random.default_rng(n).normal(size=n).astype(np.float32)
        np.testing.assert_array_equal(infer(frameworks, name, x), 2 * x)


def test_tensors_with_gaps_are_refused(frameworks):
    with pytest.raises(Exception, match="DLPack tensor is not contiguous"):
        infer(frameworks, "torch_strided", np.ones(4, np.float32))


# ---- Shared memory, made by Triton's own client ----

SIZE = 4 << 20


@pytest.fixture(params=CLIENTS)
def shared(request, server):
    """A client, its protocol, and two registered regions."""
    from tritonclient.utils import cuda_shared_memory as memory

    with contextlib.ExitStack() as stack:
        client = stack.enter_context(CLIENTS[request.param][1](server))
        regions = {}
        for name in "xy":
            regions[name] = memory.create_shared_memory_region(name, SIZE, 0)
            stack.callback(memory.destroy_shared_memory_region, regions[name])
            handle = memory.get_raw_handle(regions[name])
            client.register_cuda_shared_memory(name, handle, 0, SIZE)
        stack.callback(client.unregister_cuda_shared_memory)
        yield request.param, client, regions


@pytest.mark.parametrize("name", ["mlp", "odd"])
def test_tensors_in_its_memory(shared, models, name):
    from tritonclient.utils import cuda_shared_memory as memory

    protocol, client, regions = shared
    module = models[name]
    width, n_out = module[0].in_features, module[-1].out_features
    for n_rows in (1, 32, 32, 32, 256):
        x = np.random.default_rng(n_rows).normal(size=(n_rows, width)).astype(np.float32)
        memory.set_shared_memory_region(regions["x"], [x])
        infer_in_regions(protocol, client, name, x.shape, x.nbytes, 4 * n_rows * n_out)
        y = memory.get_contents_as_numpy(regions["y"], np.float32, [n_rows, n_out])
        np.testing.assert_allclose(y, exact(module, x), rtol=2e-5, atol=2e-5)


def test_tensors_in_its_memory_for_a_python_model(shared):
    from tritonclient.utils import cuda_shared_memory as memory

    protocol, client, regions = shared
    x = np.random.default_rng(1).normal(size=1000).astype(np.float32)
    memory.set_shared_memory_region(regions["x"], [x])
    module = CLIENTS[protocol][0]
    given = module.InferInput("INPUT0", x.shape, "FP32")
    given.set_shared_memory("x", x.nbytes)
    wanted = module.InferRequestedOutput("OUTPUT0")
    wanted.set_shared_memory("y", x.nbytes)
    client.infer("identity", [given], outputs=[wanted])
    np.testing.assert_array_equal(memory.get_contents_as_numpy(regions["y"], np.float32, [1000]), x)


def test_a_region_that_is_no_region(server):
    answer = requests.post(
        f"{server.url}/v2/cudasharedmemory/region/z/register",
        json={"raw_handle": {"b64": "A" * 86 + "=="}, "device_id": 0, "byte_size": 64},
        timeout=60,
    )
    assert answer.status_code == 400
    assert "failed to register CUDA shared memory region 'z': GPU:" in answer.text
