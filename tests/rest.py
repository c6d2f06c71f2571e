"""When a system has come to rest: everything was read, nothing is tried again, asked or mailed any more."""

import time
from collections.abc import Mapping

from cli.clients.offsets import Kafka
from local.services import SERVICES
from stream.kafka.client_config import Cluster
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
"""What of a service's store says that it has something to do."""


def store(system: Mapping[str, str], service: str) -> Store:
    return Store(system[f"{service.upper()}_DATABASE_URL"])


def until_at_rest(system: Mapping[str, str]) -> None:
    """However long it takes: only when nothing moves any more and something is left, it fails."""
    kafka = Kafka(Cluster.of_environment(system, "tests"))
    seen, moved_at = None, time.monotonic()
    while (now := _look(system, kafka)) != seen or any(now[0]):
        if now != seen:
            seen, moved_at = now, time.monotonic()
        elif time.monotonic() - moved_at > TIMEOUT_S:
            raise AssertionError(f"nothing has moved for {TIMEOUT_S:g} s, and this is left: {now[0]}")
        time.sleep(LOOK_S)


def _look(system: Mapping[str, str], kafka: Kafka) -> tuple[list[int], int]:
    """What is left to do, and how many records there are."""
    ends = kafka.end_offsets()
    unread = [kafka.lag(service, ends) for service in STORES]
    left = [store(system, service).rows(query)[0]["n"] for service in STORES for query in LEFT[service]]
    return [*unread, *left], sum(ends.values())
