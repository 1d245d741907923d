"""Classes instead of values: the largest elements, with the labels of the model's file."""

import numpy as np
import pytest
import tritonclient.http as triton

from harness.infer import error_of, outputs, post


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start("scores")


def ask(server, values, name="SCORES", count=2, shape=None, **parameters):
    content = {
        "inputs": [
            {
                "name": "INPUT0",
                "datatype": "FP32",
                "shape": shape or [1, len(values)],
                "data": values,
            }
        ],
        "outputs": [{"name": name, "parameters": {"classification": count, **parameters}}],
    }
    return post(server, "scores", content)


VALUES = [1, 5, 3, 4.5, 2]
ALL = ["5.000000:1", "4.500000:3:zwölf\r", '3.000000:2:dog: a "good" one', "2.000000:4"]

CLASSES = {
    "the best": ({"count": 1}, [1, 1], ALL[:1]),
    "some": ({"count": 3}, [1, 3], ALL[:3]),
    "more than there are": ({"count": 10**12}, [1, 5], [*ALL, "1.000000:0:cat"]),
    "each of a batch": (
        {"values": [1, 2, 3, 6, 5, 4], "shape": [2, 3]},
        [2, 2],
        [ALL[2], "2.000000:1", "6.000000:0:cat", "5.000000:1"],
    ),
    "integers": ({"name": "INTS", "count": 2}, [1, 2], ["5:1", "4:3:zwölf\r"]),
    "no labels": ({"name": "BYTES", "count": 2}, [1, 2], ["5:1", "4:3"]),
    "more extents": ({"name": "SHORTS", "count": 2}, [1, 2], ["5:1", "4:3"]),
    "doubles": (
        {"name": "DOUBLES", "values": [0.5, 1e10, -3, 1e-9], "count": 4},
        [1, 4],
        ["10000000000.000000:1", "0.500000:0", "0.000000:3", "-3.000000:2"],
    ),
}


@pytest.mark.parametrize("name", CLASSES)
def test_classes(server, name):
    how, shape, expected = CLASSES[name]
    answer = ask(server, **{"values": VALUES, **how})
    assert answer.status_code == 200, answer.text
    (output,) = answer.json()["outputs"]
    assert output == {
        "name": how.get("name", "SCORES"),
        "datatype": "BYTES",
        "shape": shape,
        "data": expected,
    }


def test_no_classes_are_values(server):
    assert outputs(ask(server, VALUES, count=0))["SCORES"] == VALUES


@pytest.mark.parametrize("binary", [False, True])
def test_the_client_reads_them(server, binary):
    given = triton.InferInput("INPUT0", (1, 5), "FP32")
    given.set_data_from_numpy(np.array([VALUES], dtype=np.float32))
    wanted = triton.InferRequestedOutput("SCORES", binary_data=binary, class_count=2)
    with triton.InferenceServerClient(server.address) as client:
        answer = client.infer("scores", [given], outputs=[wanted])
    found = answer.as_numpy("SCORES")[0]
    assert [text.decode() if binary else text for text in found] == ALL[:2]


@pytest.mark.hippocamp_only("NVIDIA's server chooses any order of equals")
def test_of_equals_the_first_is_first(server):
    answer = ask(server, [7, 9, 7, 9, 7], name="BYTES", count=4)
    assert outputs(answer)["BYTES"] == ["9:1", "9:3", "7:0", "7:2"]


@pytest.mark.hippocamp_only("NVIDIA's server dies of it")
def test_no_elements_have_no_classes(server):
    (output,) = ask(server, []).json()["outputs"]
    assert (output["shape"], output["data"]) == ([1, 0], [])


@pytest.mark.hippocamp_only("NVIDIA's server sorts them anywhere")
def test_what_is_no_number_comes_last(server):
    answer = ask(server, [float("nan"), 1, float("-inf"), float("inf")], name="DOUBLES", count=4)
    assert outputs(answer)["DOUBLES"] == ["inf:3", "1.000000:1", "-inf:2", "nan:0"]


def test_a_large_tensor(server):
    values = np.random.default_rng(7).permutation(100000).tolist()
    answer = ask(server, values, name="INTS", count=3)
    expected = [f"{value}:{values.index(value)}" for value in (99999, 99998, 99997)]
    assert [text.split(":", 2)[:2] for text in outputs(answer)["INTS"]] == [
        text.split(":") for text in expected
    ]


@pytest.mark.parametrize(
    "name",
    [
        ("HALVES", "FP16"),
        ("FLAGS", "BOOL"),
        pytest.param(
            ("TEXTS", "BYTES"), marks=pytest.mark.hippocamp_only("NVIDIA's server dies of it")
        ),
    ],
)
def test_datatypes_without_classes(server, name):
    answer = ask(server, VALUES, name=name[0])
    assert answer.status_code == 400
    assert error_of(answer) == (
        f"class result not available for output due to unsupported type '{name[1]}'"
    )


def test_a_count_that_is_none(server):
    answer = ask(server, VALUES, count=-1)
    assert answer.status_code == 500
    assert "non-unsigned-integer" in error_of(answer)
