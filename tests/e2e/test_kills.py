"""A thousand deaths: no answer lost, quick returns, no growth. `make test-long` runs it."""

import os
import signal
import statistics
import subprocess
import sys
import time

import pytest

from harness.processes import own_kb
from test_crash import HEALS, Load, pid_when_served, wait_for_another

N_KILLS = 1000
N_BEFORE = 100  # after which nothing may grow any more
BACK_WITHOUT_IMPORTS_S = 0.3


def import_time_s():
    """How long the interpreter of the models takes to start and to import NumPy, at the median."""
    python = os.environ.get("HC_MODEL_PYTHON", sys.executable)
    times = []
    for _ in range(9):
        start = time.monotonic()
        subprocess.run([python, "-c", "import numpy"], check=True)
        times.append(time.monotonic() - start)
    return statistics.median(times)


@pytest.mark.long
@pytest.mark.hippocamp_only(HEALS)
def test_a_thousand_kills_under_load_leave_nothing_behind(servers):
    server = servers.start("crash")
    imports_s = import_time_s()
    load = Load(server)
    back_s = []
    grown = {}
    try:
        for i in range(N_KILLS):
            pid = pid_when_served(server)
            start = time.monotonic()
            os.kill(pid, signal.SIGKILL)
            wait_for_another(server, pid)
            back_s.append(time.monotonic() - start)
            if i + 1 in (N_BEFORE, N_KILLS):
                grown[i + 1] = (
                    own_kb(server.process.pid),
                    len(os.listdir(f"/proc/{server.process.pid}/fd")),
                    len(server.pids()),
                )
    finally:
        load.end()
    answered = sum(load.statuses.values())
    print(
        f"\n{N_KILLS} kills, {answered} answers {dict(load.statuses)}, "
        f"{len(load.unanswered)} lost; "
        f"back after {statistics.median(back_s) * 1e3:.0f} ms at the median, "
        f"{max(back_s) * 1e3:.0f} ms at most, imports take {imports_s * 1e3:.0f} ms; "
        f"own kB, descriptors, processes after {N_BEFORE} and {N_KILLS}: "
        f"{grown[N_BEFORE]}, {grown[N_KILLS]}"
    )
    assert not load.unanswered
    assert statistics.median(back_s) < BACK_WITHOUT_IMPORTS_S + imports_s
    assert grown[N_KILLS][0] <= grown[N_BEFORE][0] + 128
    assert grown[N_KILLS][1] <= grown[N_BEFORE][1] + 2
    assert grown[N_KILLS][2] <= grown[N_BEFORE][2]
