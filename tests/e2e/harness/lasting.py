"""A server that is asked what NVIDIA's may not survive.

NVIDIA's server now and then aborts when a model calls it: one process destroys the lock of a
message that the other still holds (`boost::interprocess::lock_exception`). Children that a model
forks may inherit a lock that nobody will let go, and it hangs. Neither says anything about the
answer, so it is asked for again, from a new server.
"""

import requests

ATTEMPTS = 5


class Lasting:
    """Starts a server by calling `start`, and again where NVIDIA's has gone."""

    def __init__(self, start):
        self._start = start
        self.server = start()

    def ask(self, question):
        """What `question`, a function of the server, returns."""
        for _ in range(ATTEMPTS):
            try:
                return question(self.server)
            except (requests.ConnectionError, requests.Timeout):
                if self.server.kind != "oracle":
                    raise
            self.server.kill()
            self.server = self._start()
        raise AssertionError(f"NVIDIA's server has given no answer, {ATTEMPTS} times")
