"""Starts the system of a checkout for bench/rig/system.py, and stops it when standard input is closed.

This file is run by path with that checkout's Python: `python stand.py ROOT DATA all|base|plain SMTP_URL`. `base` is the
infrastructure without services. `plain` is the whole system, like `make run`. `all` is the whole system too, but
Postgres records the time of each commit, so that the age of a row can be read afterwards; so it does in `base`.
"""

import os
import signal
import sys
import time
from contextlib import nullcontext, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT, DATA, WHAT, SMTP_URL = sys.argv[1:]
sys.path[0] = ROOT

import psycopg  # noqa: E402 - the checkout's own modules come first

from local import environment  # noqa: E402
from local.environment import SUPERUSER, database_url  # noqa: E402
from local.system import Stack  # noqa: E402


def first_of(*names: str) -> Any:
    """Return the object of the first `module:name` that the checkout has.

    Raises ImportError when it has none of them.
    """
    for module, _, name in (full.partition(":") for full in names):
        with suppress(ImportError, AttributeError):
            return getattr(import_module(module), name)
    raise ImportError(f"{ROOT} has none of {', '.join(names)}")


# Older names first: an editable install finds the modules that an older checkout lacks in this one.
paths_of = first_of("local.place:Place", "local.paths:Paths")
exclusive_run = first_of("local.presence:alone", "local.processes.run_lock:exclusive_run")
running_infrastructure = first_of("local.system:standing", "local.system:running_infrastructure")
running_services = first_of("local.system:serving", "local.system:running_services")

NO_INBOX = "http://127.0.0.1:9"  # only `hookstream simulate` reads it


def main() -> None:
    """Run the system, print `ready`, and stop it when standard input is closed."""
    paths = paths_of(Path(ROOT).resolve(), Path(DATA).resolve())
    given = {"SMTP_URL": SMTP_URL, "INBOX_URL": NO_INBOX}
    with (
        exclusive_run(paths),
        running_infrastructure(environment.decide(paths, given, {}, registry=False)) as stack,
    ):
        if WHAT != "plain":
            keep_commit_times(stack)
        with nullcontext() if WHAT == "base" else running_services(stack):
            print("ready", flush=True)
            sys.stdin.read()


def keep_commit_times(stack: Stack) -> None:
    """Let Postgres record the time of each commit, and wait until it has restarted for that."""
    url = database_url(stack.settings, SUPERUSER, "postgres")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET track_commit_timestamp = on")
    before = stack.supervisor.pids()["postgres"]
    os.kill(before, signal.SIGINT)  # the supervisor starts it again
    while not is_keeping(url, before, stack):
        time.sleep(0.1)


def is_keeping(url: str, before: int, stack: Stack) -> bool:
    """Return whether Postgres, no longer process `before`, records the time of each commit."""
    if stack.supervisor.pids()["postgres"] == before:
        return False
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            row = connection.execute("SHOW track_commit_timestamp").fetchone()
            return row == ("on",)
    except psycopg.OperationalError:
        return False


main()
