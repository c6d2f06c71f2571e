"""The whole system for tests, on containers or on this machine, with ports and data of its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local import stack
from tests import containers

ROOT = Path(__file__).parent.parent


def chosen() -> tuple[str, str]:
    """Return the stack that the tests run on (`containers` or `local`), and the reason.

    Raises UsageError for any other value of STACK.
    """
    asked = os.environ.get("STACK")
    if asked in ("containers", "local"):
        return asked, "STACK says so"
    if asked:
        raise pytest.UsageError(f"STACK={asked}: it is containers or local")
    missing = containers.why_unavailable()
    return ("local", missing) if missing else ("containers", "a Docker engine answers and has the images")


@contextmanager
def a_system(data: Path) -> Iterator[dict[str, str]]:
    """Run a whole system with its data in `data` during the block; yield its variables, and RUN_FOLDER."""
    os.environ.setdefault("RETRY_FIRST_S", "0.02")
    os.environ.setdefault("ALERT_CHECK_S", "3600")  # tests of alerts run the check themselves
    kind, _ = chosen()
    if kind == "local":
        with stack.everything(ROOT, data) as env:
            yield env | {"RUN_FOLDER": str(data)}
    else:
        with containers.kafka_and_postgres() as given, stack.everything(ROOT, data, given=given) as env:
            yield env | {"RUN_FOLDER": str(data)}
