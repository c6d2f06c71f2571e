"""The state of a replay, in the schema that it fills: the request, the positions, and published and owed events.

Each batch moves the positions in the same transaction as its rows, so a killed replay resumes exactly there.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from stream.kafka.position import Partition
from stream.replay.offsets import OffsetRange
from stream.store.bulk_sql import write
from stream.store.outbox import OutboxMessage

Purpose = Literal["source", "published"]
"""Why a partition is read: to apply its events, or to note which domain events are already published."""

CREATE = """
CREATE TABLE IF NOT EXISTS replay (
    one         boolean PRIMARY KEY DEFAULT true CHECK (one),
    service     text NOT NULL,
    name        text NOT NULL,
    to_time     timestamptz,
    orders      text[] NOT NULL,
    retranslate boolean NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    looked_at   timestamptz
);
CREATE TABLE IF NOT EXISTS replay_progress (
    purpose     text   NOT NULL,
    topic       text   NOT NULL,
    partition   int    NOT NULL,
    next_offset bigint NOT NULL,
    end_offset  bigint NOT NULL,
    PRIMARY KEY (purpose, topic, partition)
) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS replay_published (event_id uuid PRIMARY KEY);
CREATE TABLE IF NOT EXISTS replay_owed (
    event_id          uuid PRIMARY KEY,
    n                bigint GENERATED ALWAYS AS IDENTITY,
    source_topic     text NOT NULL,
    source_partition int  NOT NULL,
    source_offset    bigint NOT NULL,
    topic            text NOT NULL,
    key              bytea,
    value            bytea NOT NULL,
    kind             text NOT NULL
);
CREATE TABLE IF NOT EXISTS replay_aliases (
    event_id  uuid PRIMARY KEY,
    digest    bytea,
    topic     text   NOT NULL,
    partition int    NOT NULL,
    "offset"  bigint NOT NULL
);
COMMENT ON TABLE replay_aliases IS 'ids that records bore before they were translated again, which may come again';
"""
TABLES = ("replay", "replay_progress", "replay_published", "replay_owed", "replay_aliases")

BEGIN = """
INSERT INTO replay (service, name, to_time, orders, retranslate)
VALUES (%(service)s, %(name)s, %(to_time)s, %(orders)s, %(retranslate)s) ON CONFLICT DO NOTHING
"""
LOAD = "SELECT service, name, to_time, orders, retranslate, finished_at, looked_at FROM replay"

EXTEND = """
INSERT INTO replay_progress (purpose, topic, partition, next_offset, end_offset)
SELECT %(purpose)s, * FROM unnest(%(topics)b::text[], %(partitions)b::int[], %(firsts)b::bigint[], %(ends)b::bigint[])
ON CONFLICT (purpose, topic, partition) DO UPDATE
   SET end_offset = greatest(replay_progress.end_offset, excluded.end_offset)
"""
UNREAD = "SELECT topic, partition, next_offset, end_offset FROM replay_progress WHERE purpose = %(purpose)s"
MOVE = """
UPDATE replay_progress SET next_offset = moved.after
  FROM unnest(%(topics)b::text[], %(partitions)b::int[], %(ends)b::bigint[]) AS moved (topic, partition, after)
 WHERE purpose = %(purpose)s AND replay_progress.topic = moved.topic AND replay_progress.partition = moved.partition
"""
# Only from the expected position: a killed process that has not ended yet may have moved it.
ADVANCE = """
UPDATE replay_progress SET next_offset = moved.after
  FROM unnest(%(topics)b::text[], %(partitions)b::int[], %(befores)b::bigint[], %(ends)b::bigint[])
       AS moved (topic, partition, before, after)
 WHERE purpose = 'source' AND replay_progress.topic = moved.topic AND replay_progress.partition = moved.partition
   AND next_offset = before
"""

ADD_PUBLISHED = "INSERT INTO replay_published SELECT unnest(%(ids)b::text[]::uuid[]) ON CONFLICT DO NOTHING"
PUBLISHED = "SELECT event_id::text FROM replay_published WHERE event_id = ANY (%(ids)b::text[]::uuid[])"
ADD_OWED = """
INSERT INTO replay_owed (event_id, source_topic, source_partition, source_offset, topic, key, value, kind)
SELECT event_id::uuid, source_topic, source_partition, source_offset, topic, key, value, kind
  FROM unnest(%(ids)b::text[], %(source_topics)b::text[], %(source_partitions)b::int[], %(source_offsets)b::bigint[],
              %(topics)b::text[], %(keys)b::bytea[], %(values)b::bytea[], %(kinds)b::text[]) WITH ORDINALITY
       AS owed (event_id, source_topic, source_partition, source_offset, topic, key, value, kind, n)
 ORDER BY n ON CONFLICT DO NOTHING
"""
DELETE_PUBLISHED_OWED = (
    "DELETE FROM replay_owed USING replay_published WHERE replay_owed.event_id = replay_published.event_id"
)
OWED = """
SELECT event_id::text, source_topic, source_partition, source_offset, topic, key, value, kind
  FROM replay_owed ORDER BY n
"""

ADD_ALIASES = """
INSERT INTO replay_aliases (event_id, digest, topic, partition, "offset")
SELECT * FROM unnest(%(ids)b::text[]::uuid[], %(digests)b::bytea[], %(topics)b::text[], %(partitions)b::int[],
                     %(offsets)b::bigint[]) ON CONFLICT DO NOTHING
"""


class PositionMoved(Exception):
    """Another process has moved the positions of this replay."""


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
    for statement in CREATE.split(";\n"):
        if statement.strip():
            tx.exec_driver_sql(statement)
    values = {
        "service": request.service,
        "name": request.name,
        "to_time": request.to_time,
        "retranslate": request.retranslate,
    }
    tx.exec_driver_sql(BEGIN, {**values, "orders": list(request.orders)})
    return load(tx)


def load(tx: Connection) -> ReplayRun:
    """Return the replay of this schema."""
    service, name, to_time, orders, retranslate, *rest = tx.exec_driver_sql(LOAD).one()
    return ReplayRun(ReplayRequest(service, name, to_time, tuple(orders), retranslate), *rest)


def extend(tx: Connection, purpose: Purpose, ranges: Mapping[Partition, OffsetRange]) -> None:
    """Extend the ranges to these ends; a partition that is known already keeps its position."""
    rows = [(*partition, range_.first, range_.end) for partition, range_ in sorted(ranges.items())]
    if not rows:  # a service that has received nothing has no positions
        return
    topics, partitions, firsts, ends = map(list, zip(*rows, strict=True))
    columns = {"topics": topics, "partitions": partitions, "firsts": firsts, "ends": ends}
    tx.exec_driver_sql(EXTEND, {**columns, "purpose": purpose})


def unread(tx: Connection, purpose: Purpose) -> dict[Partition, OffsetRange]:
    """Return the unread offsets of each partition; the range is empty at the end."""
    rows = tx.exec_driver_sql(UNREAD, {"purpose": purpose})
    return {(topic, number): OffsetRange(next_, end) for topic, number, next_, end in rows}


def move(tx: Connection, purpose: Purpose, ends: Mapping[Partition, int]) -> None:
    """Set the positions of these partitions."""
    rows = [(*partition, end) for partition, end in sorted(ends.items())]
    if rows:
        topics, partitions, after = map(list, zip(*rows, strict=True))
        tx.exec_driver_sql(MOVE, {"topics": topics, "partitions": partitions, "ends": after, "purpose": purpose})


def advance(tx: Connection, before: Mapping[Partition, int], after: Mapping[Partition, int]) -> None:
    """Move the positions of source partitions, as the first statement in the transaction of a batch.

    Raises PositionMoved when a partition is no longer at its position in `before`.
    """
    rows = [(*partition, before[partition], end) for partition, end in sorted(after.items())]
    topics, partitions, befores, ends = map(list, zip(*rows, strict=True))
    columns = {"topics": topics, "partitions": partitions, "befores": befores, "ends": ends}
    if tx.exec_driver_sql(ADVANCE, columns).rowcount != len(rows):
        raise PositionMoved


def add_published(tx: Connection, event_ids: Collection[str]) -> None:
    """Store the ids of domain events that are on their topic."""
    if event_ids:
        tx.exec_driver_sql(ADD_PUBLISHED, {"ids": sorted(event_ids)})


def published(tx: Connection, event_ids: Collection[str]) -> set[str]:
    """Return which of these domain events are on their topic."""
    return set(tx.exec_driver_sql(PUBLISHED, {"ids": list(event_ids)}).scalars()) if event_ids else set()


def add_owed(tx: Connection, events: Sequence[OwedEvent]) -> None:
    """Store domain events that are on no topic."""
    columns = "ids source_topics source_partitions source_offsets topics keys values kinds"
    rows = [
        (
            event.event_id,
            event.source_topic,
            event.source_partition,
            event.source_offset,
            event.topic,
            event.key,
            event.value,
            event.kind,
        )
        for event in events
    ]
    write(tx, ADD_OWED, columns, rows)


def delete_published_owed(tx: Connection) -> None:
    """Delete owed events that have been published since."""
    tx.exec_driver_sql(DELETE_PUBLISHED_OWED)


def owed(tx: Connection) -> list[OwedEvent]:
    """Return the domain events that are on no topic, in the order of the replay."""
    return [OwedEvent(*row) for row in tx.exec_driver_sql(OWED)]


def add_aliases(tx: Connection, rows: Sequence[tuple[str, bytes | None, str, int, int]]) -> None:
    """Store the ids of records before their retranslation: id, digest, topic, partition and offset of each."""
    write(tx, ADD_ALIASES, "ids digests topics partitions offsets", rows)


def mark_finished(tx: Connection) -> None:
    """Store that the replay has finished."""
    tx.exec_driver_sql("UPDATE replay SET finished_at = coalesce(finished_at, now())")


def mark_reviewed(tx: Connection) -> None:
    """Store that the difference from the live schema was shown."""
    tx.exec_driver_sql("UPDATE replay SET looked_at = now()")
