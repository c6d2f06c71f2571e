"""The request and the findings of a replay, in the schema that it fills: published and owed domain events, and aliases.

An owed event is a domain event that the replay made and that is on no topic.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
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
ADD_ALIASES = statements.insert_new(replay_aliases)


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """A request to replay a service into the schema `name`.

    It is limited to records appended up to `to_time` (None: all), and to these orders or invoices (empty: all). With
    `retranslate`, webhooks are translated again by the current code.
    """

    service: str
    name: str
    to_time: datetime | None = None
    orders: tuple[str, ...] = ()
    retranslate: bool = False

    @property
    def is_full(self) -> bool:
        """True if the request is not limited, so that the replayed schema can be promoted."""
        return self.to_time is None and not self.orders


@dataclass(frozen=True, slots=True)
class ReplayRun:
    """A replay: its request, when it finished, and when its difference from live was last shown (None: not yet)."""

    request: ReplayRequest
    finished_at: datetime | None
    reviewed_at: datetime | None


class OwedEvent(msgspec.Struct, frozen=True, gc=False):
    """A domain event that a replay made and that is on no topic: the position of its source record, and its message.

    `topic`, `key` and `value` are those to publish it with; `kind` is the class name of the event.
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
    """Store the request, unless a replay into this schema was begun before; return the replay.

    The request of a replay that was begun before may be another one: the caller has to compare them.
    """
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
    """Return the replay of this schema. Raises NoResultFound when none was begun."""
    service, name, to_time, orders, retranslate, *rest = tx.exec_driver_sql(LOAD).one()
    return ReplayRun(ReplayRequest(service, name, to_time, tuple(orders), retranslate), *rest)


def add_published(tx: Connection, event_ids: Collection[str]) -> None:
    """Store the ids of domain events that are on their topics. Stored ids are ignored."""
    if event_ids:
        statements.execute(tx, ADD_PUBLISHED, {"ids": sorted(event_ids)})


def published(tx: Connection, event_ids: Collection[str]) -> set[str]:
    """Return those of these ids whose domain events are on their topics, as far as `add_published` has stored them."""
    return set(statements.execute(tx, PUBLISHED, {"ids": list(event_ids)}).scalars()) if event_ids else set()


def add_owed(tx: Connection, events: Sequence[OwedEvent]) -> None:
    """Store owed events. Stored ones are ignored."""
    ADD_OWED.execute(tx, map(msgspec.structs.asdict, events))


def delete_published_owed(tx: Connection) -> None:
    """Delete the owed events whose ids `add_published` has stored since."""
    tx.exec_driver_sql(DELETE_PUBLISHED_OWED)


def owed(tx: Connection) -> list[OwedEvent]:
    """Return the owed events, in the order in which the replay made them."""
    return [OwedEvent(*row) for row in tx.exec_driver_sql(OWED)]


def add_aliases(tx: Connection, rows: Sequence[tuple[str, bytes | None, str, int, int]]) -> None:
    """Store the event ids that webhooks had before their retranslation gave them others, since these may come again.

    Each row has the former id, the former digest, and the record's topic, partition and offset.
    """
    ADD_ALIASES.execute(tx, [dict(zip(ADD_ALIASES.columns, row, strict=True)) for row in rows])


def mark_finished(tx: Connection) -> None:
    """Store the present as the time when the replay finished, unless it finished before."""
    tx.exec_driver_sql("UPDATE replay SET finished_at = coalesce(finished_at, now())")


def mark_reviewed(tx: Connection) -> None:
    """Store the present as the time when the difference from the live schema was last shown."""
    tx.exec_driver_sql("UPDATE replay SET looked_at = now()")
