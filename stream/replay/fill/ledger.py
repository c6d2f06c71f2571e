"""What a replay remembers in the schema it fills: what was asked, how far it got, which facts were told before.

Each batch moves its place in the same transaction as the rows, so a replay that was killed goes on exactly there.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from stream.kafka.position import Partition
from stream.replay.offsets import OffsetRange
from stream.store.bulk_sql import write
from stream.store.outbox import Message

Purpose = Literal["source", "told"]
"""Why a partition is read: for its events, or for the facts that stand there already."""

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
CREATE TABLE IF NOT EXISTS replay_told (fact_id uuid PRIMARY KEY);
CREATE TABLE IF NOT EXISTS replay_owed (
    fact_id          uuid PRIMARY KEY,
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
TABLES = ("replay", "replay_progress", "replay_told", "replay_owed", "replay_aliases")

BEGIN = """
INSERT INTO replay (service, name, to_time, orders, retranslate)
VALUES (%(service)s, %(name)s, %(to_time)s, %(orders)s, %(retranslate)s) ON CONFLICT DO NOTHING
"""
READ = "SELECT service, name, to_time, orders, retranslate, finished_at, looked_at FROM replay"

EXTEND = """
INSERT INTO replay_progress (purpose, topic, partition, next_offset, end_offset)
SELECT %(purpose)s, * FROM unnest(%(topics)b::text[], %(partitions)b::int[], %(firsts)b::bigint[], %(ends)b::bigint[])
ON CONFLICT (purpose, topic, partition) DO UPDATE
   SET end_offset = greatest(replay_progress.end_offset, excluded.end_offset)
"""
PLACES = "SELECT topic, partition, next_offset, end_offset FROM replay_progress WHERE purpose = %(purpose)s"
MOVE = """
UPDATE replay_progress SET next_offset = moved.after
  FROM unnest(%(topics)b::text[], %(partitions)b::int[], %(ends)b::bigint[]) AS moved (topic, partition, after)
 WHERE purpose = %(purpose)s AND replay_progress.topic = moved.topic AND replay_progress.partition = moved.partition
"""
# Only from where one thinks it is: of two processes, one killed and not yet gone, the later finds the place taken.
ADVANCE = """
UPDATE replay_progress SET next_offset = moved.after
  FROM unnest(%(topics)b::text[], %(partitions)b::int[], %(befores)b::bigint[], %(ends)b::bigint[])
       AS moved (topic, partition, before, after)
 WHERE purpose = 'source' AND replay_progress.topic = moved.topic AND replay_progress.partition = moved.partition
   AND next_offset = before
"""

HEAR = "INSERT INTO replay_told SELECT unnest(%(ids)b::text[]::uuid[]) ON CONFLICT DO NOTHING"
TOLD = "SELECT fact_id::text FROM replay_told WHERE fact_id = ANY (%(ids)b::text[]::uuid[])"
OWE = """
INSERT INTO replay_owed (fact_id, source_topic, source_partition, source_offset, topic, key, value, kind)
SELECT fact_id::uuid, source_topic, source_partition, source_offset, topic, key, value, kind
  FROM unnest(%(ids)b::text[], %(source_topics)b::text[], %(source_partitions)b::int[], %(source_offsets)b::bigint[],
              %(topics)b::text[], %(keys)b::bytea[], %(values)b::bytea[], %(kinds)b::text[]) WITH ORDINALITY
       AS owed (fact_id, source_topic, source_partition, source_offset, topic, key, value, kind, n)
 ORDER BY n ON CONFLICT DO NOTHING
"""
SETTLED = "DELETE FROM replay_owed USING replay_told WHERE replay_owed.fact_id = replay_told.fact_id"
OWED = """
SELECT fact_id::text, source_topic, source_partition, source_offset, topic, key, value, kind
  FROM replay_owed ORDER BY n
"""

ALIAS = """
INSERT INTO replay_aliases (event_id, digest, topic, partition, "offset")
SELECT * FROM unnest(%(ids)b::text[]::uuid[], %(digests)b::bytea[], %(topics)b::text[], %(partitions)b::int[],
                     %(offsets)b::bigint[]) ON CONFLICT DO NOTHING
"""


class Outrun(Exception):
    """Another process has moved the places that this one thought were its own."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants replayed. `orders` are the keys it is limited to, none: all."""

    service: str
    name: str
    to_time: datetime | None = None
    orders: tuple[str, ...] = ()
    retranslate: bool = False

    @property
    def is_full(self) -> bool:
        """Whether the store it makes has everything, so that it can become the live one."""
        return self.to_time is None and not self.orders


@dataclass(frozen=True, slots=True)
class Run:
    """What was asked, when it was done (None: not yet), and when somebody looked at the difference."""

    asked: Asked
    finished_at: datetime | None
    looked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Owed:
    """A fact that the replay came upon and that stands on no topic: what it follows from, and its message."""

    fact_id: str
    source_topic: str
    source_partition: int
    source_offset: int
    topic: str
    key: bytes | None
    value: bytes
    kind: str

    @property
    def message(self) -> Message:
        return Message(self.source_topic, self.source_partition, self.topic, self.key, self.value)


def begin(tx: Connection, asked: Asked) -> Run:
    """Note what is asked, unless a replay into this schema was begun before; what was asked then."""
    for statement in CREATE.split(";\n"):
        if statement.strip():
            tx.exec_driver_sql(statement)
    values = {"service": asked.service, "name": asked.name, "to_time": asked.to_time, "retranslate": asked.retranslate}
    tx.exec_driver_sql(BEGIN, {**values, "orders": list(asked.orders)})
    return run(tx)


def run(tx: Connection) -> Run:
    """The replay that fills this schema."""
    service, name, to_time, orders, retranslate, *rest = tx.exec_driver_sql(READ).one()
    return Run(Asked(service, name, to_time, tuple(orders), retranslate), *rest)


def extend(tx: Connection, purpose: Purpose, spans: Mapping[Partition, OffsetRange]) -> None:
    """Read these partitions up to these ends; one that is known already goes on from where it is."""
    rows = [(*where, span.first, span.end) for where, span in sorted(spans.items())]
    if not rows:  # a service that nothing has come to yet is nowhere
        return
    topics, partitions, firsts, ends = map(list, zip(*rows, strict=True))
    columns = {"topics": topics, "partitions": partitions, "firsts": firsts, "ends": ends}
    tx.exec_driver_sql(EXTEND, {**columns, "purpose": purpose})


def places(tx: Connection, purpose: Purpose) -> dict[Partition, OffsetRange]:
    """What is still to be read of each partition."""
    rows = tx.exec_driver_sql(PLACES, {"purpose": purpose})
    return {(topic, number): OffsetRange(next_, end) for topic, number, next_, end in rows}


def move(tx: Connection, purpose: Purpose, ends: Mapping[Partition, int]) -> None:
    """Note that these partitions were read up to here."""
    rows = [(*where, end) for where, end in sorted(ends.items())]
    if rows:
        topics, partitions, after = map(list, zip(*rows, strict=True))
        tx.exec_driver_sql(MOVE, {"topics": topics, "partitions": partitions, "ends": after, "purpose": purpose})


def advance(tx: Connection, before: Mapping[Partition, int], after: Mapping[Partition, int]) -> None:
    """Note, first thing in a batch's transaction, that source partitions are read from here to there.

    Raises Outrun when they are no longer where they are thought to be: another process has moved them.
    """
    rows = [(*where, before[where], end) for where, end in sorted(after.items())]
    topics, partitions, befores, ends = map(list, zip(*rows, strict=True))
    columns = {"topics": topics, "partitions": partitions, "befores": befores, "ends": ends}
    if tx.exec_driver_sql(ADVANCE, columns).rowcount != len(rows):
        raise Outrun


def hear(tx: Connection, fact_ids: Collection[str]) -> None:
    """Note facts that stand on their topic."""
    if fact_ids:
        tx.exec_driver_sql(HEAR, {"ids": sorted(fact_ids)})


def told(tx: Connection, fact_ids: Collection[str]) -> set[str]:
    """Which of these facts stand on their topic."""
    return set(tx.exec_driver_sql(TOLD, {"ids": list(fact_ids)}).scalars()) if fact_ids else set()


def owe(tx: Connection, facts: Sequence[Owed]) -> None:
    """Keep facts that nobody was told."""
    columns = "ids source_topics source_partitions source_offsets topics keys values kinds"
    rows = [
        (o.fact_id, o.source_topic, o.source_partition, o.source_offset, o.topic, o.key, o.value, o.kind) for o in facts
    ]
    write(tx, OWE, columns, rows)


def settle_owed(tx: Connection) -> None:
    """Forget owed facts that were told meanwhile."""
    tx.exec_driver_sql(SETTLED)


def owed(tx: Connection) -> list[Owed]:
    """The facts that nobody was told, in the order the replay came upon them."""
    return [Owed(*row) for row in tx.exec_driver_sql(OWED)]


def alias(tx: Connection, rows: Sequence[tuple[str, bytes | None, str, int, int]]) -> None:
    """Note the ids that records bore before: id, digest, topic, partition, offset."""
    write(tx, ALIAS, "ids digests topics partitions offsets", rows)


def finish(tx: Connection) -> None:
    """Note that all that was asked is done."""
    tx.exec_driver_sql("UPDATE replay SET finished_at = coalesce(finished_at, now())")


def look(tx: Connection) -> None:
    """Note that somebody has seen how this schema differs from the live one."""
    tx.exec_driver_sql("UPDATE replay SET looked_at = now()")
