"""Which processes a server has started, found by a mark in their environment.

The mark passes to every descendant, whatever process group, session or parent it has.
"""

import contextlib
import os
import pathlib
import time

MARK = "HC_TEST_MARK"


def marked(mark):
    """The ids of all living processes that carry `mark`, zombies not counted."""
    wanted = f"{MARK}={mark}".encode()
    found = set()
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                with open(f"/proc/{entry}/environ", "rb") as file:
                    if wanted in file.read().split(b"\0"):
                        found.add(int(entry))
    return found


def wait_until_gone(mark, timeout_s):
    """Waits until no process carries `mark`; returns those that still do after `timeout_s`."""
    give_up_at = time.monotonic() + timeout_s
    while (left := marked(mark)) and time.monotonic() < give_up_at:
        time.sleep(0.02)
    return left


def describe(pids):
    """A line for each process: its id and command line."""
    lines = []
    for pid in sorted(pids):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().replace(b"\0", b" ").decode("utf-8", "replace")
            lines.append(f"{pid} {words}")
    return "\n".join(lines)


def pss_kb(pid):
    """What a process alone takes of memory."""
    return _rollup_kb(pid, "Pss")


def own_kb(pid):
    """What a process has written itself: its heap and stacks, nothing of mapped files."""
    return _rollup_kb(pid, "Anonymous")


def _rollup_kb(pid, what):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1])
    raise AssertionError(f"no {what}")
