"""Ensembles and the models that they are made of: loaded, changed and unloaded together."""

import pytest

from harness.control import (
    EXPLICIT,
    index,
    load,
    reason_of,
    say,
    set_word,
    unload,
    wait_until,
)
from harness.infer import error_of

IO = """
input { name: "INPUT0" data_type: TYPE_INT32 dims: 1 }
output { name: "WORD" data_type: TYPE_STRING dims: 1 }
"""

STEP = """
step {
  model_name: "%s"
  model_version: -1
  input_map { key: "INPUT0" value: "INPUT0" }
  output_map { key: "WORD" value: "WORD" }
}
"""


def ensemble(repository, name, step):
    config = f'platform: "ensemble"\n{IO}ensemble_scheduling {{ {STEP % step} }}\n'
    repository.write(f"{name}/config.pbtxt", config)
    (repository.path / name / "1").mkdir()
    return repository


def start(servers):
    """A server with `outer`, made of `inner`, made of `says`; nothing is loaded."""
    repository = servers.repository().add("says")
    ensemble(repository, "inner", "says")
    ensemble(repository, "outer", "inner")
    return servers.start(repository, EXPLICIT)


ALL_READY = [("inner", "1", "READY"), ("outer", "1", "READY"), ("says", "1", "READY")]


def test_what_an_ensemble_is_made_of_is_loaded_with_it(servers):
    server = start(servers)
    assert load(server, "outer").status_code == 200
    assert index(server) == ALL_READY
    assert say(server, "outer") == "first"


def test_an_ensemble_goes_and_comes_back_with_its_models(servers):
    server = start(servers)
    load(server, "outer")
    assert unload(server, "says").status_code == 200
    wait_until(lambda: reason_of(server, "outer") == "unloaded", "the end of the ensembles")
    assert index(server, ready=True) == []
    assert load(server, "says").status_code == 200
    wait_until(lambda: index(server) == ALL_READY, "the ensembles")
    assert say(server, "outer") == "first"


def test_an_ensemble_has_the_changes_of_its_models(servers):
    server = start(servers)
    load(server, "outer")
    set_word(server, "second")
    assert load(server, "says").status_code == 200
    wait_until(lambda: say(server, "outer") == "second", "the new word")


@pytest.mark.hippocamp_only("NVIDIA's server dies of it when the model was unloaded before")
def test_models_go_with_their_ensemble_when_that_is_wanted(servers):
    server = start(servers)
    load(server, "inner")
    assert unload(server, "inner").status_code == 200
    assert index(server, ready=True) == [("says", "1", "READY")]
    assert unload(server, "says").status_code == 200
    load(server, "inner")
    assert unload(server, "inner", unload_dependents=True).status_code == 200
    wait_until(lambda: index(server, ready=True) == [], "the end of the model")


def test_an_ensemble_without_its_models_is_refused(servers):
    server = start(servers)
    ensemble(server.repository, "odd", "nobody")
    assert error_of(load(server, "odd")) == (
        "load failed for model 'odd': ensemble odd contains models that are not available or "
        "ambiguous: nobody\n"
    )
    set_word(server, "broken")
    message = error_of(load(server, "inner"))
    assert message.startswith(
        "load failed for model 'inner': ensemble 'inner' depends on 'says' which has no loaded "
        "version. Model 'says' loading failed with error: version 1 is at UNAVAILABLE state: "
        "Internal: TritonModelException: the word is broken"
    )
    set_word(server, "mended")
    assert load(server, "says").status_code == 200
    wait_until(lambda: ("inner", "1", "READY") in index(server), "the ensemble")


def test_a_circle_of_ensembles_is_refused(servers):
    repository = servers.repository()
    ensemble(repository, "first", "second")
    ensemble(repository, "second", "first")
    server = servers.start(repository, EXPLICIT)
    message = error_of(load(server, "first"))
    assert message.startswith("load failed for model 'first': ")
    assert index(server, ready=True) == []
