"""A request in the hands of the model `waits`, which is told by pipes what to do."""

import os
import select

TIMEOUT_S = 60


class Waiting:
    """The pipes of one request, in a new folder, whose path the request must say."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder = folder
        for name in ("started", "go", "cancelled"):
            os.mkfifo(folder / name)
        self._ends = {
            name: os.open(folder / name, os.O_RDONLY | os.O_NONBLOCK)
            for name in ("started", "cancelled")
        }
        # Both ends, so that opening waits for nobody, and all words until close() are one stream.
        self._ends["go"] = os.open(folder / "go", os.O_RDWR)

    def is_told(self, name, timeout_s=TIMEOUT_S):
        """Whether the model says that it has `started`, or that its request is `cancelled`."""
        return bool(select.select([self._ends[name]], [], [], timeout_s)[0])

    def say(self, word):
        """Tells the model to send one `more`, to wait for a `cancel` of its request, or to `end`,
        as it does when this is closed."""
        os.write(self._ends["go"], f"{word}\n".encode())

    def close(self):
        for end in self._ends.values():
            os.close(end)
