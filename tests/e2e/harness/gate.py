"""Holding a request inside the model `gate`, by events only."""

import os
import select
import threading

from harness.infer import body, post, tensor

TIMEOUT_S = 60


class HeldRequest:
    """A request in the hands of a model from the constructor's return until `release`."""

    def __init__(self, server, folder, headers=None, model="gate", **parameters):
        self.answer = None
        self.error = None
        self._folder = folder
        folder.mkdir()
        for name in ("started", "go"):
            os.mkfifo(folder / name)
        started = os.open(folder / "started", os.O_RDONLY | os.O_NONBLOCK)
        self._thread = threading.Thread(
            target=self._send, args=(server, headers, model, parameters), daemon=True
        )
        self._thread.start()
        readable, _, _ = select.select([started], [], [], TIMEOUT_S)
        os.close(started)
        assert readable, f"the request did not reach the model: {self.answer or self.error}"

    def _send(self, server, headers, model, parameters):
        request = body(tensor("FOLDER", "BYTES", [1], [str(self._folder)]), parameters=parameters)
        try:
            self.answer = post(server, model, request, headers)
        except OSError as error:
            self.error = error

    def release(self):
        """Lets the model go on."""
        with open(self._folder / "go", "w") as go:
            go.write("go")

    def wait(self):
        """Waits for the answer; the exception that came in its place is raised."""
        self._thread.join(TIMEOUT_S)
        if self.error is not None:
            raise self.error
        assert self.answer is not None, "no answer in time"
        return self.answer
