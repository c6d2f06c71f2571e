"""At most one run per folder: a run holds a file lock, which the kernel releases even after SIGKILL."""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper

from local.messages import CommandError
from local.paths import Paths
from local.processes import orphan_processes

STOP_TIMEOUT_S = 60.0


@contextmanager
def exclusive_run(paths: Paths) -> Iterator[None]:
    """Hold the lock of the folder during the block, after ending what a killed run left: processes, environment file.

    Raises CommandError when another run holds the lock.
    """
    paths.run.mkdir(parents=True, exist_ok=True)
    with paths.pid_file.open("a+") as file:
        if not _lock(file):
            raise CommandError(f"hookstream already runs here (process {_holder(paths)}): stop it with `make stop`.")
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        orphan_processes.sweep(paths)  # first, because they use our ports
        paths.env_file.unlink(missing_ok=True)
        try:
            yield
        finally:
            file.truncate(0)  # not deleted: another process may be waiting for the lock on this file


def stop_holder(paths: Paths) -> bool:
    """Stop the run that holds the lock, wait for its end, and return True; return False when no run holds it.

    Raises CommandError when the run has not ended after STOP_TIMEOUT_S.
    """
    if not paths.pid_file.exists():
        return False
    with paths.pid_file.open("a+") as file:
        if _lock(file):
            return False
        with suppress(ProcessLookupError):
            os.kill(_holder(paths), signal.SIGTERM)
        _await(file)
    return True


def _await(file: TextIOWrapper) -> None:
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while not _lock(file):
        if time.monotonic() > deadline:
            raise CommandError(f"hookstream still runs after {STOP_TIMEOUT_S:g} s: see .run/log, or kill its process.")
        time.sleep(0.1)


def _lock(file: TextIOWrapper) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(paths: Paths) -> int:
    return int(paths.pid_file.read_text())
