"""NVIDIA's own HTTP clients, as programs use them."""

import asyncio
import concurrent.futures

import numpy as np
import pytest
import tritonclient.http as triton
import tritonclient.http.aio as triton_aio
from tritonclient.utils import InferenceServerException

N_CONCURRENT = 64


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start(["identity", "add_sub", "linear"])


@pytest.fixture
def client(server):
    with triton.InferenceServerClient(server.address, concurrency=8) as client:
        yield client


def inputs_of(module, *arrays, binary=True):
    given = []
    for i, array in enumerate(arrays):
        given.append(module.InferInput(f"INPUT{i}", array.shape, "FP32"))
        given[-1].set_data_from_numpy(array, binary_data=binary)
    return given


def test_health_and_metadata(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("linear")
    assert client.is_model_ready("linear", "1")
    assert not client.is_model_ready("nobody")
    assert client.get_server_metadata()["name"] == "triton"
    assert client.get_model_metadata("linear")["platform"] == "python"
    assert client.get_model_config("linear")["max_batch_size"] == 4


@pytest.mark.parametrize("binary_in", [False, True])
@pytest.mark.parametrize("binary_out", [False, True])
def test_infer(client, binary_in, binary_out):
    a, b = np.arange(4, dtype=np.float32), np.full(4, 0.1, dtype=np.float32)
    wanted = [
        triton.InferRequestedOutput("OUTPUT0", binary_data=binary_out),
        triton.InferRequestedOutput("OUTPUT1", binary_data=not binary_out),
    ]
    answer = client.infer(
        "add_sub", inputs_of(triton, a, b, binary=binary_in), outputs=wanted, request_id="7"
    )
    assert answer.get_response()["id"] == "7"
    assert (answer.as_numpy("OUTPUT0") == a + b).all()
    assert (answer.as_numpy("OUTPUT1") == a - b).all()


def test_infer_without_a_list_of_outputs(client):
    a, b = np.ones(4, dtype=np.float32), np.zeros(4, dtype=np.float32)
    answer = client.infer("add_sub", inputs_of(triton, a, b))
    assert (answer.as_numpy("OUTPUT0") == 1).all()
    assert (answer.as_numpy("OUTPUT1") == 1).all()


@pytest.mark.parametrize("n_bytes", [4, 4096, 65536, 2**20, 2**24])
def test_tensors_of_every_size_come_back_unchanged(client, n_bytes):
    array = np.random.default_rng(n_bytes).random(n_bytes // 4, dtype=np.float32)
    answer = client.infer("identity", inputs_of(triton, array))
    assert (answer.as_numpy("OUTPUT0") == array).all()


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_compression_both_ways(client, algorithm):
    array = np.arange(10000, dtype=np.float32)
    answer = client.infer(
        "identity",
        inputs_of(triton, array),
        request_compression_algorithm=algorithm,
        response_compression_algorithm=algorithm,
    )
    assert (answer.as_numpy("OUTPUT0") == array).all()


def test_async_infer(client):
    arrays = [np.full(100, i, dtype=np.float32) for i in range(N_CONCURRENT)]
    pending = [client.async_infer("identity", inputs_of(triton, array)) for array in arrays]
    for array, request in zip(arrays, pending):
        assert (request.get_result().as_numpy("OUTPUT0") == array).all()


def test_answers_are_never_mixed_up(server):
    """Many clients with tensors of every size at once: each gets what it sent."""
    sizes = np.random.default_rng(1).integers(1, 300000, 400)

    def run(indexes):
        with triton.InferenceServerClient(server.address) as client:
            for i in indexes:
                array = np.full(sizes[i], i, dtype=np.float32)
                answer = client.infer("identity", inputs_of(triton, array, binary=i % 4 != 0))
                assert (answer.as_numpy("OUTPUT0") == array).all()

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(run, [range(k, len(sizes), 16) for k in range(16)]))


def test_aio(server):
    async def run():
        async with triton_aio.InferenceServerClient(server.address) as client:
            assert await client.is_server_ready()
            arrays = [np.full(100, i, dtype=np.float32) for i in range(N_CONCURRENT)]
            return arrays, await asyncio.gather(
                *(
                    client.infer("identity", inputs_of(triton_aio, array, binary=i % 2 == 0))
                    for i, array in enumerate(arrays)
                )
            )

    for array, answer in zip(*asyncio.run(run())):
        assert (answer.as_numpy("OUTPUT0") == array).all()


def test_errors_reach_the_caller_and_leave_the_connection_usable(client):
    array = np.ones(3, dtype=np.float32)
    for _ in range(3):
        with pytest.raises(
            InferenceServerException, match=r"unexpected shape for input 'INPUT[01]'"
        ):
            client.infer("add_sub", inputs_of(triton, array, array))
        assert (client.infer("identity", inputs_of(triton, array)).as_numpy("OUTPUT0") == 1).all()
