"""Looking for changes in the repository: what is written there is served, once it is complete."""

import shutil
import threading

import pytest
import requests

from harness.control import QUESTION, client_of, index, reason_of, say, set_word, wait_until
from harness.infer import post
from harness.repository import FIXTURES

POLL = ["--model-control-mode=poll", "--repository-poll-secs=1"]


def says(server, model="says"):
    """What the model says, None when it is not served."""
    answer = post(server, model, QUESTION)
    return answer.json()["outputs"][0]["data"][0] if answer.status_code == 200 else None


def test_new_models_are_found(servers):
    server = servers.start("says", *POLL)
    server.repository.add("says", name="more")
    wait_until(lambda: says(server, "more") == "first", "the new model")
    assert index(server) == [("more", "1", "READY"), ("says", "1", "READY")]


def test_changes_are_found(servers):
    server = servers.start("says", *POLL)
    set_word(server, "second")
    wait_until(lambda: says(server) == "second", "the new word")
    text = (FIXTURES / "says" / "1" / "model.py").read_text()
    server.repository.write("says/2/model.py", text).write("says/2/word", "third")
    wait_until(lambda: says(server) == "third", "the new version")


def test_models_that_are_gone_are_unloaded(servers):
    server = servers.start(["says", "versions"], *POLL)
    server.repository.remove("says")
    wait_until(lambda: says(server) is None, "the end of the model")
    assert index(server) == [("versions", number, "READY") for number in ("1", "3", "10")]
    wait_until(client_of(server).is_server_ready, "the server without the model")
    server.repository.add("says")
    wait_until(lambda: says(server) == "first", "the model that is back")


def test_what_cannot_be_loaded_leaves_the_old_one_serving(servers):
    server = servers.start("says", *POLL)
    set_word(server, "broken")
    assert server.output.wait_for("failed to load 'says' version 1.*the word is broken")
    assert says(server) == "first"
    config = server.repository.path / "says" / "config.pbtxt"
    good = config.read_text()
    config.write_text("speed: 1")
    assert server.output.wait_for('has no field (named )?\\\\*"speed')
    assert says(server) == "first"
    config.write_text(good)
    set_word(server, "mended")
    wait_until(lambda: says(server) == "mended", "the mended word")
    assert reason_of(server, "says") is None


@pytest.mark.hippocamp_only("NVIDIA's server does not wait for the end of writing")
def test_nothing_is_taken_while_somebody_writes(servers):
    """A model is copied file by file, slower than the server looks; what is there before the end
    could be loaded, but would be wrong."""
    server = servers.start("versions", *POLL)
    target = server.repository.path / "says"
    server.repository.write("says/1/model.py", (FIXTURES / "says/1/model.py").read_text())
    stop = threading.Event()
    config = (FIXTURES / "says" / "config.pbtxt").read_text()

    def write():
        for i in range(30):
            (target / "1" / "word").write_text(f"word {i}")
            if stop.wait(0.1):
                return
        (target / "config.pbtxt").write_text(config)

    writing = threading.Thread(target=write)
    writing.start()
    try:
        wait_until(lambda: says(server) is not None, "the model")
    finally:
        stop.set()
        writing.join()
    assert (target / "config.pbtxt").read_text() == config
    assert say(server) == "word 29"
    assert "failed to load 'says'" not in server.log()


@pytest.mark.hippocamp_only("NVIDIA's server unloads what is not there for a moment")
def test_a_folder_that_is_replaced_is_never_unserved(servers):
    server = servers.start("says", *POLL)
    path = server.repository.path
    for i in range(8):
        fresh = path.parent / f"fresh-{i}"
        shutil.copytree(path / "says", fresh)
        (fresh / "1" / "word").write_text(f"word {i}")
        shutil.rmtree(path / "says")
        assert says(server) is not None
        fresh.rename(path / "says")
    with requests.Session() as session:
        wait_until(lambda: say(server, session=session) == "word 7", "the last word")
