"""What a run on this machine leaves behind, and who may read it; that one role leaves the others connections."""

import re
from contextlib import ExitStack, suppress
from pathlib import Path

import psycopg
import pytest

from local.parts.databases import CONNECTION_LIMIT, MAX_CONNECTIONS
from tests.actors import Inbox, Shop, new_order

PID_FILE = "hookstream.pid"
"""Holds the id of a process, which anybody may see anyway."""


def test_what_holds_bodies_mails_or_secrets_is_readable_by_its_owner_alone(
    system: dict[str, str], shop: Shop, inbox: Inbox
) -> None:
    order = new_order()
    shop.post("order", {"orderId": order, "customerEmail": f"{order.lower()}@example.test"})
    shop.post("payment", {"orderId": order, "status": "completed"})
    inbox.wait_for(f"{order.lower()}@example.test")
    run = Path(system["RUN_FOLDER"])

    # Logs of processes that other tests start beside the system are named by a process id.
    of_the_system = [path for path in run.rglob("*") if not re.search(r"-\d+\.log$", path.name)]
    open_to_others = [path for path in of_the_system if is_readable_by_others(path, run)]

    assert {"env", "secrets.json", "log"} <= {path.name for path in run.iterdir()}
    assert [path.name for path in open_to_others if path.name != PID_FILE] == []


def is_readable_by_others(path: Path, run: Path) -> bool:
    """By its own mode and those of the folders it is in."""
    with suppress(FileNotFoundError):
        inside = [path, *(folder for folder in path.parents if folder.is_relative_to(run) and folder != run)]
        return path.is_file() and all(one.stat().st_mode & 0o077 for one in inside)
    return False


def test_a_role_that_takes_all_the_connections_it_may_leaves_the_others_theirs(system: dict[str, str]) -> None:
    with ExitStack() as held:
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            take_all(system["INVOICE_DATABASE_URL"], held)
        for name in ("PAYMENT", "NOTIFIER", "CONSOLE"):
            psycopg.connect(system[f"{name}_DATABASE_URL"]).close()

    assert CONNECTION_LIMIT < MAX_CONNECTIONS / 2


def take_all(url: str, held: ExitStack) -> None:
    for _ in range(MAX_CONNECTIONS):
        held.enter_context(psycopg.connect(url))
