"""Reshaping: a model sees other shapes than its clients."""

from harness.infer import body, outputs, post, tensor


def test_shapes_are_changed_on_the_way_in_and_back_on_the_way_out(servers):
    server = servers.start("shapes")
    inputs = {"FLAT": [2, 6], "OPEN": [2, 5, 1, 3], "ONE": [2, 1]}
    counts = {"FLAT": 12, "OPEN": 30, "ONE": 2}
    request = body(
        *(tensor(name, "INT32", inputs[name], list(range(counts[name]))) for name in inputs)
    )
    answer = post(server, "shapes", request)
    data = outputs(answer)
    shapes = {output["name"]: output["shape"] for output in answer.json()["outputs"]}
    assert data["SEEN"] == ["[2,2,3] [2,1,5,3] [2]"] * 2
    for name in inputs:
        assert shapes[f"{name}_OUT"] == inputs[name]
        assert data[f"{name}_OUT"] == list(range(counts[name]))
