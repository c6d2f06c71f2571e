"""At most one run at a place: whoever runs holds a lock, which the kernel opens even after a kill -9."""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper

from local.messages import Trouble
from local.paths import Paths
from local.processes import orphan_processes

PATIENCE = 60.0


@contextmanager
def alone(place: Paths) -> Iterator[None]:
    place.run.mkdir(parents=True, exist_ok=True)
    with place.pid_file.open("a+") as file:
        if not _lock(file):
            raise Trouble(f"hookstream runs here already (process {_holder(place)}): `make stop` ends it.")
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        orphan_processes.sweep(place)  # first of all, because they sit on our ports
        place.env_file.unlink(missing_ok=True)
        try:
            yield
        finally:
            file.truncate(0)  # not removed: another may be waiting for the lock on this very file


def dismiss(place: Paths) -> bool:
    """Asks whoever runs here to stop and waits until that is done; False when nobody does."""
    if not place.pid_file.exists():
        return False
    with place.pid_file.open("a+") as file:
        if _lock(file):
            return False
        with suppress(ProcessLookupError):
            os.kill(_holder(place), signal.SIGTERM)
        _await(file)
    return True


def _await(file: TextIOWrapper) -> None:
    deadline = time.monotonic() + PATIENCE
    while not _lock(file):
        if time.monotonic() > deadline:
            raise Trouble(f"hookstream still runs after {PATIENCE:g} s: see .run/log, or kill it.")
        time.sleep(0.1)


def _lock(file: TextIOWrapper) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(place: Paths) -> int:
    return int(place.pid_file.read_text())
