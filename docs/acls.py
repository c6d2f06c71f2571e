"""The Kafka operations that each principal needs, derived from the topics each service reads and publishes.

tests/e2e/test_secured_kafka.py runs the whole system with exactly these permissions.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from stream.events import topics
from stream.events.topics import ServiceTopics, Topic
from stream.kafka import topic_reader
from stream.replay.fill import ordered_reader as replay_reading

OPERATOR = "operator"
"""The principal of people and jobs: `hookstream`, the topics job, and `verify`."""


@dataclass(frozen=True, slots=True, order=True)
class Permission:
    """Operations on one topic or consumer group, by Kafka's names; DESCRIBE is implied by READ and WRITE."""

    kind: Literal["topic", "group"]
    name: str
    operations: tuple[str, ...]


def needed() -> dict[str, list[Permission]]:
    """Return the permissions of each principal, by its name: the gateway, each service, OPERATOR."""
    services = {service.name: _worker(service) for service in topics.SERVICES}
    return {"gateway": _gateway()} | services | {OPERATOR: _operator()}


def _worker(service: ServiceTopics) -> list[Permission]:
    """Return the permissions to read and publish. READ on published topics and the replay group are for replays."""
    published = (*service.publishes, topics.dead(service.name))
    return _merged(
        *_topics(service.reads, "READ", "DESCRIBE_CONFIGS"),
        *_topics((*published, topics.OUTCOMES), "WRITE"),
        *_topics(published, "READ"),
        *_each("group", (service.name, replay_reading.GROUP), "READ"),
    )


def _gateway() -> list[Permission]:
    return _merged(
        *_topics(topics.GATEWAY.publishes, "WRITE", "DESCRIBE_CONFIGS"),
        *_topics(topics.GATEWAY.reads, "READ"),
        *_each("group", (topic_reader.GROUP,), "READ"),
    )


def _operator() -> list[Permission]:
    return _merged(
        *_topics(topics.ALL, "CREATE", "READ", "DESCRIBE_CONFIGS"),
        *_each("group", (service.name for service in topics.SERVICES), "DESCRIBE"),
        *_each("group", (topic_reader.GROUP,), "READ"),
    )


def _topics(known: Iterable[Topic], *operations: str) -> list[Permission]:
    return _each("topic", (topic.name for topic in known), *operations)


def _each(kind: Literal["topic", "group"], names: Iterable[str], *operations: str) -> list[Permission]:
    return [Permission(kind, name, operations) for name in names]


def _merged(*permissions: Permission) -> list[Permission]:
    """Return one permission for each resource, sorted, with its operations in the order of first mention."""
    operations_of: dict[tuple[Literal["topic", "group"], str], dict[str, None]] = {}
    for permission in permissions:
        operations_of.setdefault((permission.kind, permission.name), {}).update(dict.fromkeys(permission.operations))
    return sorted(Permission(kind, name, tuple(operations)) for (kind, name), operations in operations_of.items())
