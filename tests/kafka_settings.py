"""Changes settings of Kafka for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)


def admin_of(system: dict[str, str]) -> AdminClient:
    """Return an admin client of the system's Kafka."""
    return AdminClient({"bootstrap.servers": system["KAFKA_BOOTSTRAP_SERVERS"], "log_level": 0})


@contextmanager
def short_session(system: dict[str, str], group: str, session_ms: int) -> Iterator[None]:
    """Set the session timeout of a consumer group during the block; afterwards the broker's default applies again."""
    setting = "consumer.session.timeout.ms"
    _set(system, ResourceType.GROUP, group, AlterConfigOpType.SET, setting, session_ms)
    try:
        yield
    finally:
        _set(system, ResourceType.GROUP, group, AlterConfigOpType.DELETE, setting, session_ms)


def _set(
    system: dict[str, str], kind: ResourceType, name: str, operation: AlterConfigOpType, setting: str, value: int
) -> None:
    entry = ConfigEntry(setting, str(value), incremental_operation=operation)
    resource = ConfigResource(kind, name, incremental_configs=[entry])
    admin = admin_of(system)  # kept until the change is done
    (done,) = admin.incremental_alter_configs([resource]).values()
    done.result(10)
