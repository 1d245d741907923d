"""What a server tells Prometheus, read by its official parser."""

import socket

import requests
from prometheus_client.parser import text_string_to_metric_families

from harness.control import wait_until


def wait_for_metrics(server):
    """NVIDIA's server says that it listens a moment before it does."""
    assert server.output.wait_for("Started Metrics Service at")

    def listens():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", server.metrics_port)) == 0

    wait_until(listens, "the port of metrics")


def scrape(server, path="/metrics"):
    wait_for_metrics(server)
    answer = requests.get(f"http://127.0.0.1:{server.metrics_port}{path}", timeout=60)
    assert answer.status_code == 200
    return answer


class Metrics:
    """One scrape: families by name, and values of samples by their labels."""

    def __init__(self, server):
        text = scrape(server).text
        self.families = {f.name: f for f in text_string_to_metric_families(text)}
        samples = [s for f in self.families.values() for s in f.samples]
        # The parser gives counters the ending that newer conventions want.
        self._samples = [s._replace(name=s.name.removesuffix("_total")) for s in samples]

    def value(self, name, **labels):
        """The value of the one sample of that name with these labels among its own."""
        found = [
            s.value for s in self._samples if s.name == name and labels.items() <= s.labels.items()
        ]
        assert len(found) == 1, (name, labels, found)
        return found[0]

    def labels(self, name):
        """The labels of all samples of that name, versions of numbers sorted."""
        return [s.labels for s in self._samples if s.name == name]


def pending(server, model):
    """How many requests wait for an instance of the model."""
    return Metrics(server).value("nv_inference_pending_request_count", model=model)
