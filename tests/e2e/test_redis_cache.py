"""The response cache in a Redis that servers share, with Debian's redis-server."""

import shutil
import signal
import socket
import subprocess
import time

import pytest
import requests

from harness.control import wait_until
from harness.infer import body, outputs, post, tensor
from harness.ports import free_port
from harness.server import StartFailed

MODEL = "counts"

pytestmark = [
    pytest.mark.hippocamp_only("NVIDIA's wheel has no cache for Redis"),
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="there is no redis-server"),
]


class Redis:
    """A redis-server on a free port, without files."""

    def __init__(self, folder, *options):
        self.port = free_port()
        self._command = [
            *("redis-server", "--port", str(self.port), "--bind", "127.0.0.1"),
            *("--save", "", "--appendonly", "no", "--dir", str(folder), *options),
        ]
        self._log = folder / "redis.log"
        self.process = None

    def start(self):
        with open(self._log, "w") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log)
        wait_until(lambda: self.say("PING") is not None, "redis-server")
        return self

    def say(self, *words):
        """The answer to a command, as it comes; None when there is nobody."""
        command = f"*{len(words)}\r\n" + "".join(f"${len(w)}\r\n{w}\r\n" for w in words)
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
                connection.sendall(command.encode())
                return connection.recv(65536)
        except OSError:
            return None

    def keys(self):
        lines = self.say("KEYS", "*").decode().split("\r\n")
        return [line for line in lines if line.startswith("hippocamp:")]

    def end(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture
def redis(tmp_path):
    server = Redis(tmp_path)
    yield server
    server.end()


def option(redis, *settings):
    words = [f"port={redis.port}", "host=127.0.0.1", *settings]
    return [f"--cache-config=redis,{word}" for word in words]


def ask(server, text="a", model=MODEL):
    return outputs(post(server, model, body(tensor("INPUT", "BYTES", [1], [text]))))


def hits(server):
    statistics = requests.get(f"{server.url}/v2/models/{MODEL}/stats").json()
    return statistics["model_stats"][0]["inference_stats"]["cache_hit"]["count"]


def test_answers_are_kept_and_shared(servers, redis):
    redis.start()
    repository = servers.repository().add(MODEL)
    first = servers.start(repository, *option(redis))
    assert ask(first) == {"COUNT": [1], "ECHO": ["a"]}
    assert ask(first) == {"COUNT": [1], "ECHO": ["a"]}
    assert ask(first, "b")["COUNT"] == [2]
    assert hits(first) == 1
    second = servers.start(repository, *option(redis))
    assert ask(second, "b") == {"COUNT": [2], "ECHO": ["b"]}
    assert ask(second, "c")["COUNT"] == [1]
    wait_until(lambda: len(redis.keys()) == 3, "the third answer to arrive")


def test_models_that_do_not_want_it_have_no_cache(servers, redis):
    redis.start()
    repository = servers.repository().add(
        MODEL, edit={"response_cache { enable: true }": "response_cache { enable: false }"}
    )
    server = servers.start(repository, *option(redis))
    assert [ask(server)["COUNT"], ask(server)["COUNT"]] == [[1], [2]]
    assert redis.keys() == []


def test_another_model_of_the_same_name_has_other_answers(servers, redis):
    redis.start()
    first = servers.start(servers.repository().add(MODEL), *option(redis))
    assert ask(first)["COUNT"] == [1]
    other = servers.repository().add(MODEL, config='metric_tags { key: "a" value: "b" }\n')
    second = servers.start(other, *option(redis))
    assert ask(second, "b")["COUNT"] == [1]
    assert ask(second)["COUNT"] == [2]


def test_without_redis_nothing_is_cached_and_the_log_says_so_once(servers, redis):
    server = servers.start(servers.repository().add(MODEL), *option(redis))
    assert [ask(server)["COUNT"] for _ in range(3)] == [[1], [2], [3]]
    assert server.output.wait_for("no connection to Redis at 127.0.0.1")
    redis.start()
    wait_until(lambda: ask(server) == ask(server), "the cache is used")
    redis.end()
    n = ask(server, "b")["COUNT"][0]
    assert ask(server, "b")["COUNT"] == [n + 1]
    redis.start()
    wait_until(lambda: ask(server) == ask(server), "the cache is used again")
    n_lost = server.log().count("no connection to Redis")
    assert 1 <= n_lost <= 2 * len(server_threads(server))


def server_threads(server):
    """Each loop has a connection of its own, and says when it is lost."""
    tasks = subprocess.run(
        ["ls", f"/proc/{server.process.pid}/task"], capture_output=True, text=True, check=True
    )
    return tasks.stdout.split()


def test_a_redis_that_does_not_answer_holds_nobody_up(servers, redis):
    redis.start()
    server = servers.start(servers.repository().add(MODEL), *option(redis, "socket_timeout=100"))
    assert [ask(server)["COUNT"], ask(server)["COUNT"]] == [[1], [1]]
    redis.process.send_signal(signal.SIGSTOP)
    begin = time.monotonic()
    assert [ask(server)["COUNT"], ask(server)["COUNT"]] == [[2], [3]]
    assert time.monotonic() - begin < 5
    redis.process.send_signal(signal.SIGCONT)
    wait_until(lambda: ask(server) == ask(server), "the cache is used again")


def test_what_is_no_answer_is_not_taken_for_one(servers, redis):
    redis.start()
    server = servers.start(servers.repository().add(MODEL), *option(redis))
    assert [ask(server)["COUNT"], ask(server)["COUNT"]] == [[1], [1]]
    (key,) = redis.keys()
    for n, wrong in enumerate(["", "x", "x" * 8, "\0" * 500, "x" * 100_000]):
        redis.say("SET", key, wrong)
        before = redis.say("GET", key)
        assert ask(server)["COUNT"] == [n + 2]
        wait_until(lambda before=before: redis.say("GET", key) != before, "the right answer")


def test_a_password_and_a_database_are_used(servers, tmp_path):
    guarded = Redis(tmp_path, "--requirepass", "secret")
    try:
        guarded.start()
        repository = servers.repository().add(MODEL)
        server = servers.start(repository, *option(guarded, "password=secret", "db=3"))
        assert [ask(server)["COUNT"], ask(server)["COUNT"]] == [[1], [1]]
        server = servers.start(repository, *option(guarded, "password=wrong"))
        assert [ask(server)["COUNT"], ask(server)["COUNT"]] == [[1], [2]]
        assert server.output.wait_for("no connection to Redis.*WRONGPASS")
    finally:
        guarded.end()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("redis,colour=red", "'colour=red' is no setting of the cache 'redis'"),
        ("redis,port=x", "'port=x' is no setting"),
        ("redis,host=nowhere.invalid", "the address of 'nowhere.invalid' is not known"),
        ("memcached,host=x", "there is no cache 'memcached', only local and redis"),
    ],
)
def test_wrong_settings_end_the_server(servers, setting, message):
    with pytest.raises(StartFailed, match=message):
        servers.start(servers.repository(), f"--cache-config={setting}")
