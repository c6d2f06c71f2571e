"""The Kafka operations that each principal needs, derived from the topics each service reads and publishes.

tests/e2e/test_secured_kafka.py runs the whole system with exactly these permissions.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from auditor.record_claims import READS
from confirmer.replay_hooks import RESULT_TOPICS
from gateway.__main__ import GATEWAY_TOPICS
from gateway.management_api import QUARANTINE_TOPICS
from stream.events import topics
from stream.kafka import topic_reader
from stream.replay.fill import ordered_reader as replay_reading

OPERATOR = "operator"
"""The principal of people and jobs: `hookstream`, the topics job, and `verify`."""
PUBLISHES = {
    "payment": (topics.PAYMENTS,),
    "shipping": (topics.SHIPMENTS,),
    "refund": (topics.REFUNDS,),
    "subscription": (topics.SUBSCRIPTIONS,),
    "invoice": (topics.INVOICES,),
    "confirmer": (*RESULT_TOPICS, topics.REJECTED),
    "notifier": (topics.NOTIFICATIONS,),
    "console": (),
}
"""By service: its topics besides outcomes and dead letters, which every service publishes."""
AUDITOR_GROUP = "auditor"


@dataclass(frozen=True, slots=True, order=True)
class Permission:
    """Operations on one topic or consumer group, by Kafka's names; DESCRIBE is implied by READ and WRITE."""

    kind: Literal["topic", "group"]
    name: str
    operations: tuple[str, ...]


def needed() -> dict[str, list[Permission]]:
    """Return the permissions of each principal."""
    services = {service: _worker(service) for service in READS}
    return {"gateway": _gateway()} | services | {OPERATOR: _operator()}


def _worker(service: str) -> list[Permission]:
    """Return the permissions to read and publish. READ on published topics and the replay group are for replays."""
    published = [topic.name for topic in (*PUBLISHES[service], topics.dead(service))]
    written = [*published, topics.OUTCOMES.name]
    return _merged(
        *_each("topic", READS[service], "READ", "DESCRIBE_CONFIGS"),
        *_each("topic", written, "WRITE"),
        *_each("topic", published, "READ"),
        *_each("group", (service, replay_reading.GROUP), "READ"),
    )


def _gateway() -> list[Permission]:
    return _merged(
        *_each("topic", (topic.name for topic in GATEWAY_TOPICS), "WRITE", "DESCRIBE_CONFIGS"),
        *_each("topic", QUARANTINE_TOPICS, "READ"),
        *_each("group", (topic_reader.GROUP,), "READ"),
    )


def _operator() -> list[Permission]:
    return _merged(
        *_each("topic", (topic.name for topic in topics.ALL), "CREATE", "READ", "DESCRIBE_CONFIGS"),
        *_each("group", READS, "DESCRIBE"),
        *_each("group", (topic_reader.GROUP, AUDITOR_GROUP), "READ"),
    )


def _each(kind: Literal["topic", "group"], names: Iterable[str], *operations: str) -> list[Permission]:
    return [Permission(kind, name, operations) for name in names]


def _merged(*permissions: Permission) -> list[Permission]:
    """Merge to one permission for each resource, with its operations in the order of first mention."""
    operations_of: dict[tuple[Literal["topic", "group"], str], dict[str, None]] = {}
    for permission in permissions:
        operations_of.setdefault((permission.kind, permission.name), {}).update(dict.fromkeys(permission.operations))
    return sorted(Permission(kind, name, tuple(operations)) for (kind, name), operations in operations_of.items())
