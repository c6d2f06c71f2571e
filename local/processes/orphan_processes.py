"""Finds and ends what a killed run left behind, by the mark that every process of a run carries."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from local.paths import Paths
from local.processes.supervisor import GRACE, MARK


def sweep(place: Paths) -> int:
    """Asks them to end, waits, then insists; says how many there were."""
    found = set(_marked(place))
    for pid in found:
        _send(pid, signal.SIGINT)  # the one Postgres likes; to the others it is a signal like any other
    deadline = time.monotonic() + GRACE
    while (left := found.intersection(_marked(place))) and time.monotonic() < deadline:
        time.sleep(0.1)
    for pid in left:
        _send(pid, signal.SIGKILL)
    return len(found)


def _marked(place: Paths) -> Iterator[int]:
    """Where there is no /proc there is no looking: nothing is found."""
    mark = f"{MARK}={place.run}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile, or is another user's
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                yield int(folder.name)


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
