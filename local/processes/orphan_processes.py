"""Finds and ends processes that a killed run left behind, by an environment variable that all of them have."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from local.paths import Paths
from local.processes.supervisor import GRACE_S, MARK


def sweep(paths: Paths) -> int:
    """End the processes of a run in this folder: send SIGINT, wait up to GRACE_S, send SIGKILL to those left.

    Return the number of processes found; 0 on systems without /proc.
    """
    found = set(_marked(paths))
    for pid in found:
        _send(pid, signal.SIGINT)  # Postgres's fast shutdown; the others treat it like SIGTERM
    deadline = time.monotonic() + GRACE_S
    while (left := found.intersection(_marked(paths))) and time.monotonic() < deadline:
        time.sleep(0.1)
    for pid in left:
        _send(pid, signal.SIGKILL)
    return len(found)


def _marked(paths: Paths) -> Iterator[int]:
    """Yield the ids of processes whose MARK names this folder; none on systems without /proc."""
    mark = f"{MARK}={paths.run}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # the process has ended, or belongs to another user
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                yield int(folder.name)


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
