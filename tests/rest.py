"""Waits until a system is idle: everything was read, and nothing is to be retried, confirmed or mailed."""

import time
from collections.abc import Mapping

from cli.clients.offsets import Kafka
from local.services import SERVICES
from stream.kafka.cluster import Cluster
from tests.actors import Store

STORES = tuple(service.name for service in SERVICES if service.store)
TIMEOUT_S = 60.0
LOOK_S = 0.5
FAILING = "SELECT count(*) AS n FROM retries WHERE status = 'retrying'"
LEFT = {
    **dict.fromkeys(STORES, (FAILING,)),
    "confirmer": (FAILING, "SELECT count(*) AS n FROM verification_requests WHERE status = 'asking'"),
    "notifier": (
        FAILING,
        "SELECT count(*) AS n FROM notifications WHERE status IN ('queued', 'sending')",
        "SELECT count(*) AS n FROM operator_alerts WHERE mailed_at IS NULL",
    ),
}
"""By service: the queries for the number of things that it still has to do."""


def store(system: Mapping[str, str], service: str) -> Store:
    """Return the store of a service."""
    return Store(system[f"{service.upper()}_DATABASE_URL"])


def until_idle(system: Mapping[str, str]) -> None:
    """Wait, however long it takes, until nothing is left to do.

    Raises AssertionError if something is left and nothing has changed for TIMEOUT_S.
    """
    kafka = Kafka(Cluster.of_environment(system, "tests"))
    seen, moved_at = None, time.monotonic()
    while (now := _look(system, kafka)) != seen or any(now[0]):
        if now != seen:
            seen, moved_at = now, time.monotonic()
        elif time.monotonic() - moved_at > TIMEOUT_S:
            raise AssertionError(f"nothing has moved for {TIMEOUT_S:g} s, and this is left: {now[0]}")
        time.sleep(LOOK_S)


def _look(system: Mapping[str, str], kafka: Kafka) -> tuple[list[int], int]:
    """Return the numbers of things left to do, and the number of records in Kafka."""
    ends = kafka.end_offsets()
    unread = [kafka.lag(service, ends) for service in STORES]
    left = [store(system, service).rows(query)[0]["n"] for service in STORES for query in LEFT[service]]
    return [*unread, *left], sum(ends.values())
