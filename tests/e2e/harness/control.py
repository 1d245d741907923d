"""Managing the models of a server, and asking the model `says` what it has to say."""

import time

import requests
import tritonclient.http as http

from harness.infer import body, outputs, post, tensor

TIMEOUT_S = 60

EXPLICIT = "--model-control-mode=explicit"

QUESTION = body(tensor("INPUT0", "INT32", [1], [0]))


def client_of(server):
    return http.InferenceServerClient(server.address, network_timeout=TIMEOUT_S)


def load(server, model, **parameters):
    """Asks for a model to be loaded; the answer."""
    return requests.post(
        f"{server.url}/v2/repository/models/{model}/load",
        json={"parameters": parameters} if parameters else None,
        timeout=TIMEOUT_S,
    )


def unload(server, model, **parameters):
    return requests.post(
        f"{server.url}/v2/repository/models/{model}/unload",
        json={"parameters": parameters} if parameters else None,
        timeout=TIMEOUT_S,
    )


def index(server, **members):
    """The index, without the name where there is nothing else, as (name, version, state)."""
    answer = requests.post(f"{server.url}/v2/repository/index", json=members or None, timeout=60)
    assert answer.status_code == 200, answer.text
    return [(m["name"], m.get("version"), m.get("state")) for m in answer.json()]


def reason_of(server, model, version=None):
    answer = requests.post(f"{server.url}/v2/repository/index", timeout=TIMEOUT_S)
    for entry in answer.json():
        if entry["name"] == model and version in (None, entry.get("version")):
            return entry.get("reason")
    return None


def say(server, model="says", session=requests):
    """What `says` answers now."""
    return outputs(post(server, model, QUESTION, session=session))["WORD"][0]


def pid_of(server, model="says"):
    return outputs(post(server, model, QUESTION))["PID"][0]


def set_word(server, word, model="says", version=1):
    server.repository.write(f"{model}/{version}/word", word)


def wait_until(condition, what, timeout_s=TIMEOUT_S):
    """Asks again and again until the condition holds."""
    give_up_at = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < give_up_at, f"not in time: {what}"
        time.sleep(0.01)
