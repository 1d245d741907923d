"""Metrics that models make for themselves: as the model sees them, and as /metrics shows them."""

import concurrent.futures
import json
import os
import textwrap

import pytest
import requests

from harness.control import wait_until
from harness.infer import body, error_of, outputs, post, tensor
from harness.lasting import Lasting
from harness.metrics import scrape, wait_for_metrics

# What programs begin with.
PRELUDE = """
import urllib.request
F = pb_utils.MetricFamily

def lines(name):
    text = urllib.request.urlopen("http://127.0.0.1:{port}/metrics").read().decode()
    return [line for line in text.splitlines() if name in line]

def failure(function, *args, **more):
    try:
        function(*args, **more)
    except Exception as error:
        return [type(error).__name__, str(error).splitlines()[0]]
"""


@pytest.fixture(scope="module")
def lasting(module_servers):
    return Lasting(lambda: module_servers.start("calls"))


@pytest.fixture
def server(lasting):
    return lasting.server


def send(server, program):
    wait_for_metrics(server)
    text = PRELUDE.format(port=server.metrics_port) + program
    return post(server, "calls", body(tensor("PROGRAM", "BYTES", [1], [text])))


def run(server, program):
    return json.loads(outputs(send(server, textwrap.dedent(program)))["RESULT"][0])


INSIDE = "Failed to process the request for model 'calls_0', message: "
CREATE = "Failed to create metric. "
NEW_FAMILY = "Error when creating MetricFamily: " + INSIDE
NEW_METRIC = "Error when creating Metric: " + INSIDE
GONE = (
    " value: Invalid metric operation as the corresponding 'MetricFamily' has been deleted. The "
    "'MetricFamily' object should be deleted AFTER its corresponding 'Metric' objects have been "
    "deleted."
)


def refused(*messages):
    return [["TritonModelException", message] for message in messages]


def unsupported(kind, **operations):
    """What a metric says of the operations that it has not: their names, and Triton's for them."""
    return refused(
        *(
            f"Failed to {verb} metric value: {INSIDE}TRITONSERVER_METRIC_KIND_{kind} does not "
            f"support {name}"
            for verb, name in operations.items()
        )
    )


# What a program returns, and what it is expected to be: on both servers.
PROGRAMS = {
    "a counter": (
        """
        family = F(name="c1", description="what it is", kind=F.COUNTER)
        metric = family.Metric(labels={"zone": "b", "a": "x"})
        metric.increment(1.5)
        metric.increment(2)
        return [metric.value(), lines("c1")]
        """,
        [
            3.5,
            ["# HELP c1 what it is", "# TYPE c1 counter", 'c1{a="x",zone="b"} 3.5'],
        ],
    ),
    "what a counter has not": (
        """
        family = F("c2", "", F.COUNTER)
        metric = family.Metric()
        return [failure(metric.set, 1), failure(metric.observe, 1), failure(metric.increment, -1)]
        """,
        [
            *unsupported("COUNTER", set="Set", observe="Observe"),
            *refused(
                f"Failed to increment metric value: {INSIDE}TRITONSERVER_METRIC_KIND_COUNTER can "
                "only be incremented monotonically by non-negative values."
            ),
        ],
    ),
    "a gauge": (
        """
        family = F("g1", "what it is", F.GAUGE)
        metric = family.Metric()
        metric.increment(1.5)
        metric.set(-3)
        metric.increment(-1)
        return [metric.value(), lines("g1"), failure(metric.observe, 1)]
        """,
        [
            -4.0,
            ["# HELP g1 what it is", "# TYPE g1 gauge", "g1 -4"],
            *unsupported("GAUGE", observe="Observe"),
        ],
    ),
    "a histogram": (
        """
        family = F("h1", "what it is", F.HISTOGRAM)
        metric = family.Metric(labels={"l": "1"}, buckets=[0.1, 1, 5])
        for value in (0.1, 7, 0.5):
            metric.observe(value)
        return lines("h1")
        """,
        [
            "# HELP h1 what it is",
            "# TYPE h1 histogram",
            'h1_count{l="1"} 3',
            'h1_sum{l="1"} 7.6',
            'h1_bucket{l="1",le="0.1"} 1',
            'h1_bucket{l="1",le="1"} 2',
            'h1_bucket{l="1",le="5"} 2',
            'h1_bucket{l="1",le="+Inf"} 3',
        ],
    ),
    "a histogram of one bucket": (
        """
        family = F("h2", "what it is", F.HISTOGRAM)
        metric = family.Metric(buckets=[])
        metric.observe(3)
        return lines("h2")[2:]
        """,
        ["h2_count 1", "h2_sum 3", 'h2_bucket{le="+Inf"} 1'],
    ),
    "what a histogram has not": (
        """
        family = F("h3", "", F.HISTOGRAM)
        metric = family.Metric(buckets=[1])
        return [failure(metric.value), failure(metric.increment, 1), failure(metric.set, 1)]
        """,
        unsupported("HISTOGRAM", get="Value", increment="Increment", set="Set"),
    ),
    "buckets that are none": (
        """
        family = F("h4", "", F.HISTOGRAM)
        return [
            failure(family.Metric, {}, buckets)
            for buckets in (None, (1, 2), [2, 1], [1, 1])
        ]
        """,
        refused(
            CREATE + "Missing required buckets.",
            CREATE + "Buckets must be a list.",
            NEW_METRIC + "Bucket Boundaries must be strictly sorted",
            NEW_METRIC + "Bucket Boundaries must be strictly sorted",
        ),
    ),
    "buckets without a histogram": (
        """
        family = F("c3", "", F.COUNTER)
        return [failure(family.Metric, {}, buckets) for buckets in ([1], [])]
        """,
        refused(*[CREATE + "Unexpected buckets found."] * 2),
    ),
    "labels that are none": (
        """
        family = F("c4", "", F.COUNTER)
        return [
            failure(family.Metric, labels)
            for labels in ([], {"a": 1}, {"a b": "x"}, {"": "x"}, {"__x": "y"}, {1: "x"})
        ]
        """,
        refused(
            CREATE + "Labels must be a dictionary.",
            NEW_METRIC + "attempt to access JSON non-string as string",
            *[NEW_METRIC + "Invalid label name"] * 4,
        ),
    ),
    "names that are none": (
        """
        return [failure(F, name, "", F.COUNTER) for name in ("", "a b", "1a", "e-e")]
        """,
        refused(*[NEW_FAMILY + "Invalid metric name"] * 4),
    ),
    "a name has one kind, and one description": (
        """
        family = F("k1", "first", F.COUNTER)
        other = F("k1", "second", F.COUNTER)
        metrics = [family.Metric({"a": "1"}), other.Metric({"a": "2"})]
        return [failure(F, "k1", "first", F.GAUGE), sorted(lines("k1"))]
        """,
        [
            *refused(NEW_FAMILY + "Family name already exists with different type"),
            ["# HELP k1 first", "# TYPE k1 counter", 'k1{a="1"} 0', 'k1{a="2"} 0'],
        ],
    ),
    "metrics with the same labels are one": (
        """
        family = F("d1", "", F.COUNTER)
        first = family.Metric({"a": "1", "b": "2"})
        second = family.Metric({"b": "2", "a": "1"})
        first.increment(1)
        second.increment(2)
        values = [first.value(), second.value()]
        del first
        return [values, second.value(), lines("d1")[-1]]
        """,
        [[3.0, 3.0], 3.0, 'd1{a="1",b="2"} 3'],
    ),
    "the first buckets stay": (
        """
        family = F("d2", "", F.HISTOGRAM)
        metrics = [family.Metric({}, [1, 2]), family.Metric({}, [3])]
        metrics[0].observe(1.5)
        return lines("d2_bucket")
        """,
        ['d2_bucket{le="1"} 0', 'd2_bucket{le="2"} 1', 'd2_bucket{le="+Inf"} 1'],
    ),
    "a metric stays while its family does": (
        """
        family = F("d3", "", F.COUNTER)
        family.Metric().increment(1)
        return [family.Metric().value(), lines("d3")[-1]]
        """,
        [1.0, "d3 1"],
    ),
    "metrics without their family": (
        """
        family = F("d4", "", F.COUNTER)
        metric = family.Metric()
        del family
        return [
            failure(metric.increment, 1), failure(metric.value), failure(metric.set, 1),
            failure(metric.observe, 1),
        ]
        """,
        refused(
            *(f"Failed to {verb} metric" + GONE for verb in ["increment", "get", "set", "observe"])
        ),
    ),
    "numbers that are none": (
        """
        family = F("n1", "", F.GAUGE)
        metric = family.Metric()
        metric.set(float("nan"))
        found = [lines("n1")[-1]]
        metric.set(float("inf"))
        return found + [lines("n1")[-1], failure(metric.set, "1"), failure(metric.set, None)]
        """,
        [
            "n1 Nan",
            "n1 +Inf",
            *[
                [
                    "TypeError",
                    "set(): incompatible function arguments. The following argument types are "
                    "supported:",
                ]
            ]
            * 2,
        ],
    ),
    "kinds": (
        """
        return [repr(F.COUNTER), str(F.GAUGE), int(F.HISTOGRAM), failure(F, "a", "b")[0],
                failure(F, "a", "b", 0)[0]]
        """,
        ["<MetricKind.COUNTER: 0>", "MetricKind.GAUGE", 2, "TypeError", "TypeError"],
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(lasting, name):
    program, expected = PROGRAMS[name]
    assert lasting.ask(lambda server: run(server, program)) == expected


def test_a_family_of_the_servers_may_be_added_to(server):
    """Its metrics are then in one place, under one head."""
    program = """
        family = F("nv_inference_count", "mine", F.COUNTER)
        metric = family.Metric({"of": "mine"})
        metric.increment(7)
        return lines("nv_inference_count")
    """
    help_, type_, *samples = run(server, program)
    assert help_.startswith("# HELP nv_inference_count Number of inferences")
    assert type_ == "# TYPE nv_inference_count counter"
    assert 'nv_inference_count{of="mine"} 7' in samples
    assert all(sample.startswith("nv_inference_count{") for sample in samples)


# Opens a counter that outlives the program, and adds to it.
COUNT = """
pb_utils.kept = getattr(pb_utils, "kept", None) or F("{name}", "", F.COUNTER)
pb_utils.kept.Metric().increment({by})
return pb_utils.kept.Metric().value()
"""


def sample(server, name):
    """The line of a metric without labels; None while there is none."""
    return next((li for li in scrape(server).text.splitlines() if li.startswith(f"{name} ")), None)


def control(server, what):
    requests.post(f"{server.url}/v2/repository/models/calls/{what}", timeout=60).raise_for_status()


@pytest.mark.hippocamp_only("NVIDIA's server keeps what a model has not dropped itself")
def test_unloading_takes_metrics_away(servers):
    server = servers.start("calls", "--model-control-mode=explicit", "--load-model=calls")
    assert run(server, COUNT.format(name="unloaded", by=2)) == 2
    assert sample(server, "unloaded") == "unloaded 2"
    control(server, "unload")
    wait_until(lambda: sample(server, "unloaded") is None, "the metric to go")
    control(server, "load")
    assert run(server, COUNT.format(name="unloaded", by=1)) == 1


def test_a_family_that_goes_takes_its_metrics_away(server):
    run(server, COUNT.format(name="dropped", by=1))
    assert sample(server, "dropped") == "dropped 1"
    run(server, "pb_utils.kept = None")
    wait_until(lambda: sample(server, "dropped") is None, "the metric to go")


def test_instances_share_metrics(servers, tmp_path):
    """Two requests that wait for each other are with two instances."""
    repository = servers.repository().add("calls", config="instance_group [{ count: 2 }]")
    server = servers.start(repository)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    count = COUNT.format(name="shared", by=1)
    waits = count.replace("return", f"open('{pipe}').read(); return os.getpid(),")
    meets = count.replace("return", f"open('{pipe}', 'w').close(); return os.getpid(),")
    with concurrent.futures.ThreadPoolExecutor() as threads:
        programs = [f"import os\n{program}" for program in (waits, meets)]
        (one, n), (other, m) = threads.map(lambda program: run(server, program), programs)
    assert one != other
    assert n == m == 2


@pytest.mark.hippocamp_only("NVIDIA's server does not heal")
def test_an_instance_that_dies_leaves_its_counters(servers):
    server = servers.start("calls")
    for i in range(3):
        assert run(server, COUNT.format(name="survives", by=1)) == i + 1
        assert "calls_0" in error_of(send(server, "import os; os._exit(1)"))
        assert sample(server, "survives") == f"survives {i + 1}"


@pytest.mark.hippocamp_only("NVIDIA's server loses them")
def test_threads_and_children_count(server):
    program = """
        import os
        family = F("many", "", F.COUNTER)
        metric = family.Metric()
        def count():
            for _ in range(5000):
                metric.increment(1)
        threads = [threading.Thread(target=count) for _ in range(4)]
        for thread in threads:
            thread.start()
        child = os.fork()
        if child == 0:
            count()
            os._exit(0)
        os.waitpid(child, 0)
        for thread in threads:
            thread.join()
        return metric.value()
    """
    assert run(server, program) == 25000


@pytest.mark.hippocamp_only("NVIDIA's server takes thousands of times as long")
def test_counting_is_quick(server):
    program = """
        import time
        family = F("quick", "", F.COUNTER)
        metric = family.Metric()
        start = time.perf_counter()
        for _ in range(100000):
            metric.increment(1)
        return time.perf_counter() - start
    """
    assert run(server, program) < 1
