"""Free TCP ports, below the range that the kernel hands to clients.

Each worker of pytest-xdist walks through a range of its own, so that two workers never pick the
same port; a port that somebody else holds is skipped.
"""

import os
import socket

FIRST = 20000
RANGE = 1500
N_RANGES = 8


def _walk():
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    base = FIRST + RANGE * (worker % N_RANGES)
    start = os.getpid() % RANGE
    while True:
        for offset in range(RANGE):
            yield base + (start + offset) % RANGE


_ports = _walk()


def _is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True


def free_port():
    """A port on which nobody listens now."""
    return next(port for port in _ports if _is_free(port))
