"""A debugger that attaches to the process of a model, by the protocol that editors speak (DAP)."""

import concurrent.futures
import itertools
import json
import socket

import pytest

from harness.infer import body, outputs, post, tensor

pytestmark = pytest.mark.hippocamp_only("the oracle's Python has no debugpy")

TIMEOUT_S = 60

MODEL = """import debugpy
import triton_python_backend_utils as pb_utils

class TritonPythonModel:
    def initialize(self, args):
        _, port = debugpy.listen(("127.0.0.1", 0))
        print(f"debugger: port {port}")

    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        doubled = 2 * request.inputs()[0].as_numpy()
        return pb_utils.InferenceResponse([pb_utils.Tensor("OUTPUT0", doubled)])
"""
LINE = 1 + MODEL.splitlines().index(
    '        return pb_utils.InferenceResponse([pb_utils.Tensor("OUTPUT0", doubled)])'
)


class Debugger:
    """A connection to debugpy: requests are answered by number, events come in between."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
        self.file = self.socket.makefile("rb")
        self.numbers = itertools.count(1)
        self.seen = []

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.file.close()
        self.socket.close()

    def send(self, command, **arguments):
        number = next(self.numbers)
        message = {"seq": number, "type": "request", "command": command, "arguments": arguments}
        data = json.dumps(message).encode()
        self.socket.sendall(b"Content-Length: %d\r\n\r\n%b" % (len(data), data))
        return number

    def _receive(self):
        size = 0
        while (line := self.file.readline().strip()) or size == 0:
            assert line, "the debugger has hung up"
            size = int(line.split(b":")[1])
        return json.loads(self.file.read(size))

    def wait(self, **wanted):
        """The body of the first message, among those not taken yet, that has these members."""
        i = 0
        while not all(self._message(i).get(name) == value for name, value in wanted.items()):
            i += 1
        message = self.seen.pop(i)
        assert message.get("success", True), message
        return message.get("body", {})

    def _message(self, i):
        if i == len(self.seen):
            self.seen.append(self._receive())
        return self.seen[i]

    def ask(self, command, **arguments):
        return self.wait(type="response", request_seq=self.send(command, **arguments))

    def attach(self, path, line):
        """Attaches, with a breakpoint."""
        self.ask("initialize", adapterID="test", linesStartAt1=True, pathFormat="path")
        attached = self.send("attach", justMyCode=False)
        self.wait(type="event", event="initialized")
        breakpoints = [{"line": line}]
        self.ask("setBreakpoints", source={"path": str(path)}, breakpoints=breakpoints)
        self.ask("configurationDone")
        self.wait(type="response", request_seq=attached)


def test_a_debugger_stops_a_model_and_lets_it_go_on(servers):
    repository = servers.repository().add("identity").write("identity/1/model.py", MODEL)
    server = servers.start(repository)
    port = int(server.output.wait_for(r"debugger: port (\d+)")[1])
    ask = body(tensor("INPUT0", "FP32", [2], [1, 2]))
    with Debugger(port) as debugger, concurrent.futures.ThreadPoolExecutor() as threads:
        debugger.attach(repository.path / "identity" / "1" / "model.py", LINE)
        answer = threads.submit(post, server, "identity", ask)
        stopped = debugger.wait(type="event", event="stopped")
        assert stopped["reason"] == "breakpoint"
        frames = debugger.ask("stackTrace", threadId=stopped["threadId"])["stackFrames"]
        assert [frame["line"] for frame in frames if frame["name"].endswith("answer")] == [LINE]
        value = debugger.ask("evaluate", expression="doubled.tolist()", frameId=frames[0]["id"])
        assert value["result"] == "[2.0, 4.0]"
        debugger.ask("setExpression", expression="doubled[0]", value="7", frameId=frames[0]["id"])
        debugger.ask("continue", threadId=stopped["threadId"])
        assert outputs(answer.result(TIMEOUT_S))["OUTPUT0"] == [7, 4]
        debugger.ask("disconnect")
    assert outputs(post(server, "identity", ask))["OUTPUT0"] == [2, 4]
