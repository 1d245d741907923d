"""Tensors of Python models in a GPU's memory: on a driver that only pretends to have it, which says
what was copied how, and on a real one."""

import base64
import collections
import concurrent.futures
import contextlib
import types

import numpy as np
import pytest

from gpu_models import CLIENTS, pretended_region
from harness import gpu
from harness.control import wait_until

pytestmark = pytest.mark.hippocamp_only("NVIDIA's server takes no driver that only pretends")

SIZE = 65536
BATCHING = """
dynamic_batching { preferred_batch_size: [ 2 ] max_queue_delay_microseconds: 20000000 }
"""


class Record:
    """What has been done with the pretended GPU, by whom; of a real one nothing is known."""

    def __init__(self, path, server):
        self._path = path
        self._server = server

    def lines(self):
        return self._path.read_text().splitlines() if self._path else []

    def counts(self, before=()):
        """(who, what): how often, since there were BEFORE."""
        done = collections.Counter()
        for line in self.lines()[len(before) :]:
            pid, what = line.split()
            done["server" if int(pid) == self._server.process.pid else "model", what] += 1
        return done


class Pretended:
    """Regions of GPU 1 of two that are pretended."""

    gpu = 1

    @contextlib.contextmanager
    def region(self, _):
        with pretended_region(SIZE) as (memory, handle):
            yield types.SimpleNamespace(
                handle=handle,
                put=lambda data, at=0: memory.__setitem__(slice(at, at + len(data)), data),
                get=lambda size, at=0: memory[at : at + size],
            )


class Real:
    """Regions of a real GPU, made by Triton's own client."""

    gpu = 0

    @contextlib.contextmanager
    def region(self, name):
        from tritonclient.utils import cuda_shared_memory as memory

        made = memory.create_shared_memory_region(name, SIZE, self.gpu)

        def get(size, at=0):
            return memory.get_contents_as_numpy(made, np.uint8, [size], at).tobytes()

        try:
            yield types.SimpleNamespace(
                handle=memory.get_raw_handle(made),
                put=lambda data, at=0: memory.set_shared_memory_region(
                    made, [np.frombuffer(data, np.uint8)], at
                ),
                get=get,
            )
        finally:
            memory.destroy_shared_memory_region(made)


@pytest.fixture(scope="module", params=["pretended", pytest.param("real", marks=pytest.mark.gpu)])
def place(request):
    if request.param == "real":
        gpu.require()
        return Real()
    return Pretended()


@pytest.fixture(scope="module")
def server(module_servers, place, tmp_path_factory, request):
    repository = module_servers.repository()
    repository.add("identity")
    repository.add("gpu_calls")
    repository.add("gpu_tensors")
    repository.add("gpu_echo")
    repository.add("gpu_echo", name="forced", edit={'"no"': '"yes"'})
    batched = {"max_batch_size: 0": "max_batch_size: 2"}
    repository.add("gpu_echo", name="batched", edit=batched, config=BATCHING)
    if isinstance(place, Real):
        return module_servers.start(repository)
    repository.add("gpu_echo", name="hides")
    path = tmp_path_factory.mktemp("record") / "record"
    path.touch()
    started = module_servers.start(
        repository,
        environment={
            "LD_LIBRARY_PATH": str(request.getfixturevalue("fake_cuda")),
            "FAKE_CUDA_DEVICES": "2",
            "FAKE_CUDA_RECORD": str(path),
        },
    )
    started.record_path = path
    return started


@pytest.fixture
def record(server):
    return Record(getattr(server, "record_path", None), server)


class Asks:
    """A client with regions "x" and "y" on the GPU."""

    def __init__(self, protocol, server, client, regions):
        self.protocol = protocol
        self.server = server
        self.module = CLIENTS[protocol][0]
        self.client = client
        self.regions = regions

    def given(self, x, at=0):
        """The numbers as an input in region "x"."""
        self.regions["x"].put(x.tobytes(), at)
        given = self.module.InferInput("x", x.shape, "FP32")
        given.set_shared_memory("x", x.nbytes, at)
        return given

    def plain(self, x):
        """The numbers as an input in the request."""
        given = self.module.InferInput("x", x.shape, "FP32")
        given.set_data_from_numpy(x)
        return given

    def together(self, *requests):
        """Asks a model that takes as many at a time; what is to come of each."""

        def ask(inputs):
            with CLIENTS[self.protocol][1](self.server) as client:
                return client.infer("batched", inputs)

        with concurrent.futures.ThreadPoolExecutor() as threads:
            return [threads.submit(ask, inputs) for inputs in requests]

    def wanted(self, size, at=0):
        wanted = self.module.InferRequestedOutput("y")
        wanted.set_shared_memory("y", size, at)
        return [wanted, self.module.InferRequestedOutput("says")]

    def echo(self, x, model="gpu_echo", at=0, y_size=None, y_at=0, **how):
        """What comes of it in region "y", and what the model says."""
        wanted = self.wanted(x.nbytes if y_size is None else y_size, y_at)
        answer = self.client.infer(model, [self.given(x, at)], outputs=wanted, **how)
        y = np.frombuffer(self.regions["y"].get(x.nbytes, y_at), np.float32).reshape(x.shape)
        return y, said(answer)


def said(answer):
    *says, _ = (text.decode() for text in answer.as_numpy("says").flatten())
    return says


@pytest.fixture(params=CLIENTS)
def asks(request, server, place):
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(CLIENTS[request.param][1](server))
        regions = {}
        for name in "xy":
            regions[name] = stack.enter_context(place.region(name))
            client.register_cuda_shared_memory(name, regions[name].handle, place.gpu, SIZE)
        stack.callback(client.unregister_cuda_shared_memory)
        yield Asks(request.param, server, client, regions)


def numbers(n, seed=0):
    return np.random.default_rng(seed).normal(size=n).astype(np.float32)


@pytest.mark.parametrize(("at", "y_at"), [(0, 0), (4, 1028)])
def test_tensors_go_from_region_to_region_within_the_gpu(asks, place, record, at, y_at):
    before = record.lines()
    for turn in range(3):
        x = numbers(1000, turn)
        y, says = asks.echo(x, at=at, y_at=y_at)
        np.testing.assert_array_equal(y, x)
        assert says == [f"x False (2, {place.gpu})"]
    if isinstance(place, Pretended):
        done = record.counts(before)
        assert done["model", "within"] == 3
        assert done["model", "open"] == 2, "each region once"
        assert not {("server", "in"), ("server", "out"), ("model", "in"), ("model", "out")} & {
            *done
        }


def test_an_output_that_goes_to_the_client_is_copied_out_once(asks, place, record):
    x = numbers(500)
    before = record.lines()
    answer = asks.client.infer("gpu_echo", [asks.given(x)])
    np.testing.assert_array_equal(answer.as_numpy("y"), x)
    assert said(answer) == [f"x False (2, {place.gpu})"]
    if isinstance(place, Pretended):
        done = record.counts(before)
        assert (done["model", "out"], done["server", "out"], done["server", "in"]) == (1, 0, 0)


def test_inputs_that_are_not_in_a_region_or_are_strings_are_the_processors(asks):
    x = numbers(50)
    text = np.array([b"hello"])
    asks.regions["x"].put(b"\5\0\0\0hello")
    strings = asks.module.InferInput("text", [1], "BYTES")
    strings.set_shared_memory("x", 4 + len(text[0]))
    answer = asks.client.infer("gpu_echo", [asks.plain(x), strings], outputs=asks.wanted(x.nbytes))
    assert asks.regions["y"].get(x.nbytes) == x.tobytes()
    assert said(answer) == ["x True (1, 0)", "text True (1, 0)"]


def test_unaligned_inputs_are_copied(asks):
    x = numbers(50)
    y, says = asks.echo(x, at=2)
    np.testing.assert_array_equal(y, x)
    assert says == ["x True (1, 0)"]


def test_a_model_that_does_not_ask_for_it_gets_a_copy(asks, place, record):
    x = numbers(100)
    before = record.lines()
    y, says = asks.echo(x, model="forced")
    np.testing.assert_array_equal(y, x)
    assert says == ["x True (1, 0)"]
    done = record.counts(before)
    if isinstance(place, Pretended):
        assert done["server", "out"] == done["server", "in"] == 1
    assert not [who for who, _ in done if who == "model"], "it knows of no GPU"


def test_an_output_that_is_too_large_is_refused(asks):
    asks.regions["y"].put(b"\1" * 400)
    with pytest.raises(Exception, match="should be at least 400 bytes to hold the results"):
        asks.echo(numbers(100), y_size=64)
    assert asks.regions["y"].get(400) == b"\1" * 400


def test_what_a_model_keeps_stays_when_the_region_is_forgotten(asks, place, record):
    x = numbers(300)
    asks.echo(x, parameters={"wish": "keep"})
    asks.client.unregister_cuda_shared_memory("x")
    small = asks.plain(np.zeros(1, np.float32))
    before = record.lines()
    if isinstance(place, Pretended):
        wait_until(lambda: ("server", "close") in record.counts(), "the server lets go of it")
    answer = asks.client.infer("gpu_echo", [small], parameters={"wish": "again"})
    np.testing.assert_array_equal(answer.as_numpy("y"), x)
    if isinstance(place, Pretended):
        wait_until(lambda: ("model", "close") in record.counts(before), "so does the model")


def test_regions_that_are_forgotten_are_closed_though_nobody_asks(asks, place, record):
    asks.echo(numbers(10))
    before = record.lines()
    asks.client.unregister_cuda_shared_memory()
    if isinstance(place, Pretended):
        wait_until(lambda: record.counts(before)["model", "close"] == 2, "both regions are closed")


def test_a_region_may_have_the_name_of_one_that_was_forgotten(asks, place):
    asks.echo(numbers(10))
    asks.client.unregister_cuda_shared_memory("x")
    with place.region("again") as region:
        asks.client.register_cuda_shared_memory("x", region.handle, place.gpu, SIZE)
        asks.regions["x"] = region
        x = numbers(20, seed=1)
        y, _ = asks.echo(x)
        np.testing.assert_array_equal(y, x)
        asks.client.unregister_cuda_shared_memory("x")


def test_a_model_may_hide_gpus_from_itself(asks, place):
    if isinstance(place, Real):
        pytest.skip("there may be one alone")
    x = numbers(10)
    y, says = asks.echo(x, model="hides")
    np.testing.assert_array_equal(y, x)
    assert says == ["x False (2, 0)"]


def test_a_region_that_cannot_be_opened_fails_that_request_alone(asks, place):
    """It is the model's own, which the driver refuses to open again."""
    if isinstance(place, Real):
        pytest.skip("it is told by the pretended driver")
    good, bad = numbers((1, 10)), numbers((1, 20), seed=1)
    together = asks.together([asks.plain(good)], [asks.plain(good)])
    pid = int(together[0].result().as_numpy("says").flatten()[-1])
    asks.client.unregister_cuda_shared_memory("x")
    handle = base64.b64decode(asks.regions["x"].handle)[:56] + pid.to_bytes(8, "little")
    asks.client.register_cuda_shared_memory("x", base64.b64encode(handle), place.gpu, SIZE)
    together = asks.together([asks.plain(good)], [asks.given(bad)])
    np.testing.assert_array_equal(together[0].result().as_numpy("y"), good)
    with pytest.raises(Exception, match="cannot open the client's memory of a GPU: invalid device"):
        together[1].result()


def test_models_without_tensors_on_it_know_of_no_gpu(asks, record):
    before = record.lines()
    x = numbers(100)
    asks.regions["x"].put(x.tobytes())
    given = asks.module.InferInput("INPUT0", x.shape, "FP32")
    given.set_shared_memory("x", x.nbytes)
    wanted = asks.module.InferRequestedOutput("OUTPUT0")
    wanted.set_shared_memory("y", x.nbytes)
    asks.client.infer("identity", [given], outputs=[wanted])
    assert asks.regions["y"].get(x.nbytes) == x.tobytes()
    assert not [who for who, _ in record.counts(before) if who == "model"]


def test_a_tensor_of_a_gpu_that_is_not_there_fails_the_request(asks):
    with pytest.raises(Exception, match="Failed to wait for GPU 99: invalid device ordinal"):
        asks.client.infer("gpu_tensors", [asks.plain(numbers(1))])


# ---- Calls ----


@pytest.mark.parametrize("on_gpu", [True, False])
@pytest.mark.parametrize(
    ("prefers", "place_of_y"),
    [("gpu", "y False (2, 0)"), ("cpu", "y True (1, 0)"), ("none", "y True (1, 0)")]
    + [("nowhere", "y True (1, 0)")],
)
def test_calls_with_tensors_on_it(asks, on_gpu, prefers, place_of_y):
    x = numbers(700)
    given = asks.given(x) if on_gpu else asks.plain(x)
    for wanted in (None, asks.wanted(x.nbytes)):
        answer = asks.client.infer(
            "gpu_calls", [given], outputs=wanted, parameters={"prefers": prefers}
        )
        y = answer.as_numpy("y") if wanted is None else asks.regions["y"].get(x.nbytes)
        assert np.asarray(y).tobytes() == x.tobytes() if wanted is None else y == x.tobytes()
        says = [text.decode() for text in answer.as_numpy("says")]
        assert says == [place_of_y, "says True (1, 0)"]


# ---- Frameworks ----

TORCH_MODEL = """
import torch
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        responses = []
        for request in requests:
            x = torch.from_dlpack(pb_utils.get_input_tensor_by_name(request, "x"))
            assert x.is_cuda
            with torch.cuda.stream(torch.cuda.Stream()):
                for _ in range(100):
                    x = x + 1
                y = pb_utils.Tensor.from_dlpack("y", x)
            responses.append(pb_utils.InferenceResponse([y]))
        return responses
"""


@pytest.mark.gpu
@pytest.mark.parametrize("protocol", CLIENTS)
def test_what_a_framework_does_on_a_stream_of_its_own(servers, protocol):
    gpu.require()
    repository = servers.repository()
    repository.add("gpu_echo", name="adds").write("adds/1/model.py", TORCH_MODEL)
    server = servers.start(repository)
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(CLIENTS[protocol][1](server))
        regions = {}
        for name in "xy":
            regions[name] = stack.enter_context(Real().region(name))
            client.register_cuda_shared_memory(name, regions[name].handle, Real.gpu, SIZE)
        asks = Asks(protocol, server, client, regions)
        for turn in range(20):
            x = np.arange(turn, turn + SIZE // 4, dtype=np.float32)
            client.infer("adds", [asks.given(x)], outputs=asks.wanted(x.nbytes)[:1])
            assert regions["y"].get(x.nbytes) == (x + 100).tobytes()
        client.unregister_cuda_shared_memory()
