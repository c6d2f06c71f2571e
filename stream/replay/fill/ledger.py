"""The request and the findings of a replay, in the schema that it fills: published and owed events, and aliases."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection

from stream.store import statements
from stream.store.outbox import OutboxMessage
from stream.store.statements import BulkStatement
from stream.store.tables import replay_aliases

BEGIN = """
INSERT INTO replay (service, name, to_time, orders, retranslate)
VALUES (%(service)s, %(name)s, %(to_time)s, %(orders)s, %(retranslate)s) ON CONFLICT DO NOTHING
"""
EXISTS = "SELECT EXISTS (SELECT FROM replay)"
LOAD = "SELECT service, name, to_time, orders, retranslate, finished_at, looked_at FROM replay"
ADD_PUBLISHED = "INSERT INTO replay_published SELECT unnest(%(ids)b::text[]::uuid[]) ON CONFLICT DO NOTHING"
PUBLISHED = "SELECT event_id::text FROM replay_published WHERE event_id = ANY (%(ids)b::text[]::uuid[])"
ADD_OWED = BulkStatement(
    """
INSERT INTO replay_owed (event_id, source_topic, source_partition, source_offset, topic, key, value, kind)
SELECT event_id::uuid, source_topic, source_partition, source_offset, topic, key, value, kind
  FROM unnest(%(event_id)b::text[], %(source_topic)b::text[], %(source_partition)b::int[], %(source_offset)b::bigint[],
              %(topic)b::text[], %(key)b::bytea[], %(value)b::bytea[], %(kind)b::text[]) WITH ORDINALITY
       AS owed (event_id, source_topic, source_partition, source_offset, topic, key, value, kind, n)
 ORDER BY n ON CONFLICT DO NOTHING
""",
    ("event_id", "source_topic", "source_partition", "source_offset", "topic", "key", "value", "kind"),
)
DELETE_PUBLISHED_OWED = (
    "DELETE FROM replay_owed USING replay_published WHERE replay_owed.event_id = replay_published.event_id"
)
OWED = """
SELECT event_id::text, source_topic, source_partition, source_offset, topic, key, value, kind
  FROM replay_owed ORDER BY n
"""
ADD_ALIASES = statements.insert(replay_aliases).followed_by("ON CONFLICT DO NOTHING")


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """A request to replay a service into the schema `name`.

    `orders` limits it to these orders or invoices; empty means all.
    """

    service: str
    name: str
    to_time: datetime | None = None
    orders: tuple[str, ...] = ()
    retranslate: bool = False

    @property
    def is_full(self) -> bool:
        """True if the replayed store is complete, so that it can be promoted."""
        return self.to_time is None and not self.orders


@dataclass(frozen=True, slots=True)
class ReplayRun:
    """A replay: its request, when it finished, and when its difference was last shown (None: not yet)."""

    request: ReplayRequest
    finished_at: datetime | None
    reviewed_at: datetime | None


@dataclass(frozen=True, slots=True)
class OwedEvent:
    """A domain event of the replay that is on no topic: the position of its source record, and its message.

    `kind` is the class name of the event.
    """

    event_id: str
    source_topic: str
    source_partition: int
    source_offset: int
    topic: str
    key: bytes | None
    value: bytes
    kind: str

    @property
    def message(self) -> OutboxMessage:
        return OutboxMessage(self.source_topic, self.source_partition, self.topic, self.key, self.value)


def begin(tx: Connection, request: ReplayRequest) -> ReplayRun:
    """Store the request, unless a replay into this schema was begun before; return the stored replay."""
    values = {
        "service": request.service,
        "name": request.name,
        "to_time": request.to_time,
        "retranslate": request.retranslate,
    }
    tx.exec_driver_sql(BEGIN, {**values, "orders": list(request.orders)})
    return load(tx)


def exists(tx: Connection) -> bool:
    """Return whether a replay was begun in this schema."""
    found: bool = tx.exec_driver_sql(EXISTS).scalar_one()
    return found


def load(tx: Connection) -> ReplayRun:
    """Return the replay of this schema."""
    service, name, to_time, orders, retranslate, *rest = tx.exec_driver_sql(LOAD).one()
    return ReplayRun(ReplayRequest(service, name, to_time, tuple(orders), retranslate), *rest)


def add_published(tx: Connection, event_ids: Collection[str]) -> None:
    """Store the ids of domain events that are on their topic."""
    if event_ids:
        tx.exec_driver_sql(ADD_PUBLISHED, {"ids": sorted(event_ids)})


def published(tx: Connection, event_ids: Collection[str]) -> set[str]:
    """Return which of these domain events are on their topic."""
    return set(tx.exec_driver_sql(PUBLISHED, {"ids": list(event_ids)}).scalars()) if event_ids else set()


def add_owed(tx: Connection, events: Sequence[OwedEvent]) -> None:
    """Store domain events that are on no topic."""
    ADD_OWED.execute(tx, map(asdict, events))


def delete_published_owed(tx: Connection) -> None:
    """Delete owed events that have been published since."""
    tx.exec_driver_sql(DELETE_PUBLISHED_OWED)


def owed(tx: Connection) -> list[OwedEvent]:
    """Return the domain events that are on no topic, in the order of the replay."""
    return [OwedEvent(*row) for row in tx.exec_driver_sql(OWED)]


def add_aliases(tx: Connection, rows: Sequence[tuple[str, bytes | None, str, int, int]]) -> None:
    """Store the ids of records before their retranslation: id, digest, topic, partition and offset of each."""
    ADD_ALIASES.execute(tx, [dict(zip(ADD_ALIASES.columns, row, strict=True)) for row in rows])


def mark_finished(tx: Connection) -> None:
    """Store that the replay has finished."""
    tx.exec_driver_sql("UPDATE replay SET finished_at = coalesce(finished_at, now())")


def mark_reviewed(tx: Connection) -> None:
    """Store that the difference from the live schema was shown."""
    tx.exec_driver_sql("UPDATE replay SET looked_at = now()")
