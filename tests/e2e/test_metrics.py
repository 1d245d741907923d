"""Metrics: names, kinds, labels, and when they count."""

import json
import math
import re
import shutil
import subprocess
import threading

import pytest
import requests

from harness.control import EXPLICIT, QUESTION, load, say, unload, wait_until
from harness.gate import HeldRequest
from harness.infer import body, outputs, post, tensor
from harness.metrics import Metrics, pending, scrape, wait_for_metrics
from harness.ports import free_port
from harness.server import StartFailed

DURATIONS = [
    "nv_inference_request_duration_us",
    "nv_inference_queue_duration_us",
    "nv_inference_compute_input_duration_us",
    "nv_inference_compute_infer_duration_us",
    "nv_inference_compute_output_duration_us",
]

COUNTERS = [
    "nv_inference_request_success",
    "nv_inference_request_failure",
    "nv_inference_count",
    "nv_inference_exec_count",
    *DURATIONS,
]

GAUGES = [
    "nv_inference_pending_request_count",
    "nv_pinned_memory_pool_total_bytes",
    "nv_pinned_memory_pool_used_bytes",
    "nv_cpu_utilization",
    "nv_cpu_memory_total_bytes",
    "nv_cpu_memory_used_bytes",
]

SUMMARIES = [
    "nv_inference_request_summary_us",
    "nv_inference_queue_summary_us",
    "nv_inference_compute_input_summary_us",
    "nv_inference_compute_infer_summary_us",
    "nv_inference_compute_output_summary_us",
]

REASONS = {"BACKEND", "REJECTED", "CANCELED", "OTHER"}


def wait_for_executions(server, n):
    """An execution has ended, and is counted, when the answers to its requests have gone."""
    wait_until(lambda: Metrics(server).value("nv_inference_exec_count") == n, "all executions")


def test_all_families_of_counters_and_gauges_are_there(servers):
    server = servers.start("says")
    families = Metrics(server).families
    for name in COUNTERS:
        assert families[name].type == "counter", name
    for name in GAUGES:
        assert families[name].type == "gauge", name


def test_help_and_labels_are_as_they_are_known(servers):
    server = servers.start("says")
    text = scrape(server).text
    assert (
        "# HELP nv_inference_request_success Number of successful inference requests, all batch "
        "sizes\n# TYPE nv_inference_request_success counter\n"
        'nv_inference_request_success{model="says",version="1"} 0\n'
    ) in text
    failures = Metrics(server).labels("nv_inference_request_failure")
    assert {labels["reason"] for labels in failures} == REASONS


def test_other_paths_are_empty_and_only_get_is_taken(servers):
    server = servers.start("says")
    assert scrape(server).headers["Content-Type"] == "text/plain; charset=utf-8"
    assert scrape(server, "/metrics/").text
    assert scrape(server, "/metrics?a=b").text
    assert scrape(server, "/").text == ""
    assert scrape(server, "/v2/health/ready").text == ""
    url = f"http://127.0.0.1:{server.metrics_port}/metrics"
    assert requests.post(url, timeout=60).status_code == 405


def test_successes_are_counted_with_their_times(servers):
    server = servers.start("batched")
    request = body(tensor("INPUT0", "INT32", [3, 2], [1, 2, 3, 4, 5, 6]))
    for _ in range(2):
        assert post(server, "batched", request).status_code == 200
    wait_for_executions(server, 2)
    metrics = Metrics(server)
    assert metrics.value("nv_inference_request_success", model="batched") == 2
    assert metrics.value("nv_inference_count", model="batched") == 6
    whole, *parts = (metrics.value(name, model="batched") for name in DURATIONS)
    assert 0 < sum(parts) <= whole + 10


def test_a_failed_execution_is_one_that_succeeded_for_nobody(servers):
    server = servers.start("misbehaves")
    request = body(tensor("HOW", "BYTES", [1], ["raise"]))
    assert post(server, "misbehaves", request).status_code == 500
    wait_for_executions(server, 1)
    metrics = Metrics(server)
    assert metrics.value("nv_inference_request_failure", reason="BACKEND") == 1
    assert metrics.value("nv_inference_request_success") == 0
    assert metrics.value("nv_inference_count") == 0


def test_what_is_refused_before_the_model_is_not_counted(servers):
    server = servers.start("says")
    assert post(server, "says", {"inputs": []}).status_code == 400
    metrics = Metrics(server)
    for reason in REASONS:
        assert metrics.value("nv_inference_request_failure", model="says", reason=reason) == 0


def test_waiting_requests_are_pending(servers, tmp_path):
    server = servers.start("gate")
    held = HeldRequest(server, tmp_path / "held")
    folder = tmp_path / "never started"
    request = body(tensor("FOLDER", "BYTES", [1], [str(folder)]))
    waiting = threading.Thread(target=post, args=(server, "gate", request))
    waiting.start()
    wait_until(lambda: pending(server, "gate") == 1, "the request that waits")
    folder.mkdir()
    (folder / "go").write_text("go")
    held.release()
    held.wait()
    waiting.join(60)
    assert pending(server, "gate") == 0


def test_series_go_with_their_models_and_begin_again_with_them(servers):
    server = servers.start("says", EXPLICIT, "--load-model=says")
    say(server)
    assert Metrics(server).value("nv_inference_request_success", model="says") == 1
    unload(server, "says")
    wait_until(
        lambda: "nv_inference_request_success{" not in scrape(server).text, "the end of the series"
    )
    load(server, "says")
    assert Metrics(server).value("nv_inference_request_success", model="says") == 0


def test_tags_of_models_are_labels(servers):
    config = (
        'metric_tags { key: "team" value: "a \\"b\\" \\\\" }\nmetric_tags { key: "x" value: "" }'
    )
    server = servers.start(servers.repository().add("says", config=config))
    (labels,) = Metrics(server).labels("nv_inference_count")
    assert labels == {"_team": 'a "b" \\', "_x": "", "model": "says", "version": "1"}


def test_namespaces_are_labels(servers):
    first = servers.repository().add("says")
    second = servers.repository().add("says")
    server = servers.start(first, "--model-namespacing=true", f"--model-repository={second.path}")
    labels = Metrics(server).labels("nv_inference_count")
    assert {entry["namespace"] for entry in labels} == {str(first.path), str(second.path)}


def test_summaries_are_there_when_they_are_wanted(servers):
    server = servers.start("says", "--metrics-config=summary_latencies=true")
    for _ in range(10):
        say(server)
    metrics = Metrics(server)
    for name in SUMMARIES:
        assert metrics.families[name].type == "summary"
        assert metrics.value(f"{name}_count", model="says") == 10
        ranks = [labels["quantile"] for labels in metrics.labels(name)]
        assert ranks == ["0.5", "0.9", "0.95", "0.99", "0.999"]
    name = "nv_inference_request_summary_us"
    median = metrics.value(name, model="says", quantile="0.5")
    assert 0 < median <= metrics.value(f"{name}_sum", model="says")


def test_summaries_are_not_there_unless_they_are_wanted(servers):
    families = Metrics(servers.start("says")).families
    assert not [name for name in SUMMARIES if name in families]


def test_quantiles_may_be_chosen(servers):
    server = servers.start(
        "says",
        "--metrics-config=summary_latencies=true",
        "--metrics-config=summary_quantiles=0.25:0.05,0.75:0.01",
    )
    labels = Metrics(server).labels("nv_inference_queue_summary_us")
    assert [entry["quantile"] for entry in labels] == ["0.25", "0.75"]
    name = "nv_inference_queue_summary_us"
    assert math.isnan(Metrics(server).value(name, model="says", quantile="0.25"))


def test_counters_may_be_off(servers):
    server = servers.start("says", "--metrics-config=counter_latencies=false")
    say(server)
    for name in ("nv_inference_request_success", "nv_inference_count", *DURATIONS):
        metrics = Metrics(server)
        assert all(
            sample.value == 0
            for family in metrics.families.values()
            for sample in family.samples
            if sample.name == name
        )


def test_parts_of_metrics_may_be_off(servers):
    server = servers.start("says", "--allow-cpu-metrics=false", "--allow-gpu-metrics=false")
    assert "nv_cpu_utilization" not in Metrics(server).families
    server = servers.start("says", "--allow-metrics=false")
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{server.metrics_port}/metrics", timeout=60)


def test_a_wrong_metrics_config_is_refused(servers):
    with pytest.raises(StartFailed, match="metrics-config"):
        servers.start("says", "--metrics-config=x,y=1")


def test_the_cache_is_told_of(servers):
    repository = servers.repository().add("says", config="response_cache { enable: true }")
    server = servers.start(repository, "--cache-config=local,size=1048576")
    for _ in range(3):
        say(server)
    wait_until(lambda: Metrics(server).value("nv_cache_num_hits_per_model") == 2, "the hits")
    metrics = Metrics(server)
    assert metrics.value("nv_cache_num_misses_per_model", model="says") == 1
    assert metrics.value("nv_inference_request_success") == 3
    assert metrics.value("nv_inference_count") == 1
    wait_until(lambda: Metrics(server).value("nv_cache_num_entries") == 1, "the entry")
    metrics = Metrics(server)
    assert metrics.value("nv_cache_num_hits") == 2
    assert metrics.value("nv_cache_num_lookups") == 3
    assert 0 < metrics.value("nv_cache_util") < 1


@pytest.mark.hippocamp_only("the family is newer than NVIDIA's server 2.51")
def test_loading_times_are_told(servers):
    server = servers.start("says")
    assert 0 < Metrics(server).value("nv_model_load_duration_secs", model="says") < 60


@pytest.mark.hippocamp_only("NVIDIA's server begins to measure two seconds after its start")
def test_the_machine_is_as_large_as_it_is(servers):
    server = servers.start("says", "--metrics-interval-ms=1")
    Metrics(server)
    metrics = Metrics(server)
    with open("/proc/meminfo") as file:
        total = int(re.search(r"MemTotal:\s+(\d+) kB", file.read())[1]) * 1024
    assert metrics.value("nv_cpu_memory_total_bytes") == total
    assert 0 < metrics.value("nv_cpu_memory_used_bytes") < total
    assert 0 <= metrics.value("nv_cpu_utilization") <= 1
    assert server.output.wait_for(r'"Started Metrics Service at 0\.0\.0\.0:\d+"')


# ---- GPUs, told by a library that stands in for NVIDIA's ----

NVML = """
#include <string.h>
typedef struct { int index; } gpu;
static gpu gpus[2] = {{0}, {1}};
static int n_energy;
int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned *n) { *n = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned i, gpu **g) { *g = &gpus[i]; return 0; }
int nvmlDeviceGetUUID(gpu *g, char *uuid, unsigned size) {
    strcpy(uuid, g->index == 0 ? "GPU-first" : "GPU-second"); return 0; }
int nvmlDeviceGetName(gpu *g, char *name, unsigned size) { strcpy(name, "Pretence"); return 0; }
int nvmlDeviceGetUtilizationRates(gpu *g, unsigned *u) { u[0] = 25; u[1] = 0; return 0; }
int nvmlDeviceGetMemoryInfo(gpu *g, unsigned long long *m) {
    m[0] = 1000; m[1] = 400; m[2] = 600; return 0; }
int nvmlDeviceGetPowerUsage(gpu *g, unsigned *mw) { *mw = 1500; return g->index; }
int nvmlDeviceGetEnforcedPowerLimit(gpu *g, unsigned *mw) { *mw = 70000; return 0; }
int nvmlDeviceGetTotalEnergyConsumption(gpu *g, unsigned long long *mj) {
    *mj = 1000000 + (n_energy++ < 2 ? 0 : 2500); return 0; }
"""


@pytest.mark.hippocamp_only("NVIDIA's server asks another library")
def test_gpus_are_told_of(servers, tmp_path):
    source = tmp_path / "nvml.c"
    source.write_text(NVML)
    library = tmp_path / "libnvidia-ml.so.1"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True, timeout=60)
    server = servers.start("says", environment={"LD_LIBRARY_PATH": str(tmp_path)})
    metrics = Metrics(server)
    for name, value in [
        ("nv_gpu_utilization", 0.25),
        ("nv_gpu_memory_total_bytes", 1000),
        ("nv_gpu_memory_used_bytes", 600),
        ("nv_gpu_power_limit", 70),
        ("nv_energy_consumption", 2.5),
    ]:
        for uuid in ("GPU-first", "GPU-second"):
            assert metrics.value(name, gpu_uuid=uuid) == value, name
    assert metrics.labels("nv_gpu_power_usage") == [{"gpu_uuid": "GPU-first"}]


# ---- Prometheus itself ----


@pytest.fixture
def prometheus(tmp_path):
    """Starts a Prometheus that scrapes a server; ends it."""
    started = []

    def start(server):
        port = free_port()
        config = tmp_path / "prometheus.yml"
        scraping = {
            "job_name": "server",
            "scrape_interval": "200ms",
            "static_configs": [{"targets": [f"127.0.0.1:{server.metrics_port}"]}],
        }
        config.write_text(json.dumps({"scrape_configs": [scraping]}))
        command = [
            "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        with open(tmp_path / "prometheus.log", "w") as log:
            started.append(subprocess.Popen(command, stdout=log, stderr=log))
        wait_for_metrics(server)
        return f"http://127.0.0.1:{port}/api/v1"

    yield start
    for process in started:
        process.kill()
        process.wait()


def ask_prometheus(url, query):
    try:
        answer = requests.get(f"{url}/query", params={"query": query}, timeout=10).json()
    except requests.RequestException:
        return None
    results = answer.get("data", {}).get("result", [])
    return float(results[0]["value"][1]) if results else None


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="there is no prometheus here")
def test_prometheus_scrapes_under_load(servers, prometheus):
    options = [f"--metrics-config={name}_latencies=true" for name in ("summary", "histogram")]
    server = servers.start("says", *options)
    url = prometheus(server)
    stop = threading.Event()
    n_asked = [0]

    def ask():
        with requests.Session() as session:
            while not stop.is_set():
                outputs(post(server, "says", QUESTION, session=session))
                n_asked[0] += 1

    asking = threading.Thread(target=ask)
    asking.start()
    counter = 'nv_inference_request_success{model="says"}'
    try:
        wait_until(lambda: (ask_prometheus(url, counter) or 0) > 0, "the first scrape")
    finally:
        stop.set()
        asking.join()
    wait_until(lambda: ask_prometheus(url, counter) == n_asked[0], "the last scrape")
    assert ask_prometheus(url, 'up{job="server"}') == 1
    targets = requests.get(f"{url}/targets", timeout=10).json()["data"]["activeTargets"]
    assert [(target["health"], target["lastError"]) for target in targets] == [("up", "")]
    metadata = requests.get(f"{url}/metadata", timeout=10).json()["data"]
    assert metadata["nv_inference_request_summary_us"][0]["type"] == "summary"


BUCKETS = """
model_metrics { metric_control [{
  metric_identifier { family: "nv_inference_first_response_histogram_ms" }
  histogram_options { buckets: [ 0.5, 60000, 120000 ] }
}] }
"""


@pytest.mark.hippocamp_only("a field that came after Triton 2.51")
def test_first_responses_are_counted_in_the_buckets_of_the_config(servers):
    repository = servers.repository().add("repeat").add("repeat", "own", config=BUCKETS)
    server = servers.start(repository, "--metrics-config=histogram_latencies=true")
    for model in ("repeat", "own"):
        url = f"{server.url}/v2/models/{model}/generate_stream"
        assert requests.post(url, json={"INPUT0": [1, 2]}, timeout=60).status_code == 200
    name = "nv_inference_first_response_histogram_ms"
    samples = Metrics(server).families[name].samples
    bounds = {
        model: [
            float(sample.labels["le"])
            for sample in samples
            if sample.name == f"{name}_bucket" and sample.labels["model"] == model
        ]
        for model in ("repeat", "own")
    }
    assert bounds["repeat"] == [100, 500, 2000, 5000, math.inf]
    assert bounds["own"] == [0.5, 60000, 120000, math.inf]
    assert Metrics(server).value(f"{name}_bucket", model="own", le="60000") == 1


@pytest.mark.hippocamp_only("a field that came after Triton 2.51")
def test_buckets_that_are_not_ascending_are_refused(servers):
    repository = servers.repository().add("repeat", config=BUCKETS.replace("60000", "0.1"))
    server = servers.start(repository, wait=False)
    assert server.output.wait_for("histogram options must specify ascending 'buckets'")
