"""How precisely batches wait for company: the time in the queue against the config's delay."""

import statistics

import pytest
import requests

from harness.infer import body, outputs, post, tensor

ROWS = {
    "mood_score": tensor("x", "FP32", [1, 3], [1, 2, 3]),  # the server's own
    "batched": tensor("INPUT0", "INT32", [1, 2], [1, 2]),  # whose process has to wake up
}
N_REQUESTS = 300

# What a batch may be late, until its model begins.
MOST_LATE_US = 50


def queue_ns(server, model, session):
    answer = session.get(f"{server.url}/v2/models/{model}/stats").json()
    return answer["model_stats"][0]["inference_stats"]["queue"]["ns"]


@pytest.mark.long
@pytest.mark.hippocamp_only("NVIDIA's server promises no such thing")
@pytest.mark.parametrize("delay_us", [100, 500, 2000, 10000])
@pytest.mark.parametrize("model", ROWS)
def test_a_delay_ends_when_it_says(servers, model, delay_us):
    config = f"dynamic_batching {{ max_queue_delay_microseconds: {delay_us} }}\n"
    server = servers.start(servers.repository().add(model, config=config))
    late_us = []
    with requests.Session() as session:
        for _ in range(N_REQUESTS):
            before = queue_ns(server, model, session)
            outputs(post(server, model, body(ROWS[model]), session=session))
            late_us.append((queue_ns(server, model, session) - before) / 1000 - delay_us)
    print(f"{delay_us} us: median {statistics.median(late_us):.1f} us late")
    assert min(late_us) >= 0
    assert statistics.median(late_us) <= MOST_LATE_US
