"""The response cache: the same question is answered without asking the model again."""

import pytest
import requests

from harness.infer import body, outputs, post, tensor

SIZE = 4 << 20


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start("counts", f"--cache-config=local,size={SIZE}")


def text(*words):
    return tensor("INPUT", "BYTES", [len(words)], list(words))


def ask(server, *inputs, **members):
    return outputs(post(server, "counts", body(*inputs, **members)))


def statistics(server):
    answer = requests.get(f"{server.url}/v2/models/counts/stats").json()["model_stats"][0]
    inference = answer["inference_stats"]
    hits, misses = (inference[name]["count"] for name in ("cache_hit", "cache_miss"))
    return hits, misses, inference["success"]["count"], answer["execution_count"]


def test_the_same_request_is_answered_from_the_cache(server):
    first = ask(server, text("one", "two"))
    assert first["ECHO"] == ["one", "two"]
    assert ask(server, text("one", "two"), id="another") == first
    assert ask(server, text("one", "tw"))["COUNT"] != first["COUNT"]


@pytest.mark.parametrize(
    "inputs",
    [
        [text("a", "bc")],
        [text("ab", "c")],
        [text("a", "bc"), tensor("OTHER", "INT32", [1], [0])],
        [text("a", "bc"), tensor("OTHER", "INT32", [1], [1])],
        [text("a", "b", "c")],
    ],
)
def test_every_part_of_the_inputs_counts(server, inputs):
    before = ask(server, text(str(inputs)))["COUNT"][0]
    assert ask(server, *inputs)["COUNT"] == [before + 1]
    assert ask(server, *inputs)["COUNT"] == [before + 1]


def test_the_order_of_the_inputs_does_not_count(server):
    other = tensor("OTHER", "INT32", [1], [7])
    assert ask(server, text("order"), other) == ask(server, other, text("order"))


@pytest.mark.hippocamp_only("NVIDIA's server keeps a failure, and then answers without outputs")
def test_failures_are_not_kept(server):
    before = ask(server, text("before the failures"))["COUNT"][0]
    for _ in range(2):
        assert post(server, "counts", body(text("fail"))).status_code == 500
    assert ask(server, text("after the failures"))["COUNT"] == [before + 3]


def test_hits_and_misses_are_counted(server):
    before = statistics(server)
    for _ in range(3):
        ask(server, text("to be counted"))
    after = statistics(server)
    assert [b - a for a, b in zip(before, after, strict=True)] == [2, 1, 3, 1]


def test_the_size_is_a_limit(servers):
    server = servers.start("counts", f"--cache-config=local,size={SIZE}")
    first = ask(server, text("first"))
    for i in range(16):
        ask(server, text(str(i) + "x" * (SIZE // 8)))
    assert ask(server, text("first"))["COUNT"] != first["COUNT"]


def test_models_that_do_not_enable_it_are_not_cached(servers):
    repository = servers.repository().add("counts", edit={"enable: true": "enable: false"})
    server = servers.start(repository, f"--cache-config=local,size={SIZE}")
    assert ask(server, text("x"))["COUNT"] != ask(server, text("x"))["COUNT"]


def test_without_a_cache_the_model_is_asked(servers):
    server = servers.start("counts")
    assert ask(server, text("x"))["COUNT"] != ask(server, text("x"))["COUNT"]
