"""Runs a redrive in a thread: redrives a group of events, waits for their outcomes, and goes on with the next group."""

import time
from collections.abc import Sequence
from threading import Thread

from sqlalchemy import Engine, exc

from console.redrives import store
from console.redrives.store import Redrive
from console.web.services import Services
from runtime.clients.management_client import ServiceRefused, ServiceUnreachable
from runtime.logging import log

GROUP = 50
"""The events of a group."""
TRIED_S = 30.0
"""Seconds after which the next group follows even if not all events of a group were tried."""
LOOK_S = 0.5


def start(engine: Engine, services: Services, redrive_id: str) -> None:
    """Run the stored redrive in a thread, and return at once.

    If this process ends before, the other events stay dead and can be redriven again.
    """
    Thread(target=run, args=(engine, services, redrive_id), name="redrive", daemon=True).start()


def run(engine: Engine, services: Services, redrive_id: str) -> None:
    """Redrive group by group, and store how the redrive ended (`Redrive.status`). Return when it has.

    It ends early when it is cancelled, when every event of a group (of two or more) has failed again, or when the
    service or the store fails. Each step has a transaction of its own. Raises SQLAlchemyError if the end cannot be
    stored; the redrive is then lost (`Redrive.is_lost`).
    """
    try:
        status = _run(engine, services, redrive_id)
    except (ServiceRefused, ServiceUnreachable, exc.SQLAlchemyError) as failure:
        log.warning("redrive.failed", id=redrive_id, error=type(failure).__name__)
        status = "failed"
    with engine.begin() as tx:
        store.end(tx, redrive_id, status)


def _run(engine: Engine, services: Services, redrive_id: str) -> str:
    with engine.begin() as tx:
        redrive = store.read(tx, redrive_id)
    if redrive is None:
        return "failed"
    for first in range(0, len(redrive.event_ids), GROUP):
        group = redrive.event_ids[first : first + GROUP]
        services.post(redrive.service, "/dead/redrive", {"filters": {"id": group}, "dryRun": False})
        with engine.begin() as tx:
            if not store.record_progress(tx, redrive_id, first + len(group)):
                return "cancelled"
        if _all_fail(engine, redrive, group):
            return "failing"
    return "done"


def _all_fail(engine: Engine, redrive: Redrive, group: Sequence[str]) -> bool:
    """Wait until the group was tried, at most TRIED_S; return whether all its events have failed again.

    False for a group of one event.
    """
    until = time.monotonic() + TRIED_S
    while True:
        with engine.connect() as tx:
            outcomes = store.outcomes_since(tx, redrive, group)
        if sum(outcomes.values()) >= len(group):
            return len(group) > 1 and outcomes.keys() <= {"retrying", "dead"}
        if time.monotonic() > until:
            return False
        time.sleep(LOOK_S)
