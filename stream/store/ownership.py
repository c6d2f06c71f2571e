"""Who may write for a partition, and how far the store is in it.

Kafka may take a partition from a worker that is frozen and does not know. Its successor raises the epoch; whatever the
old one then tries to commit finds another epoch than its own, and gives up.

`next_offset` moves in the transaction of each batch, so a store that is restored from a backup says itself where to go
on. A store that is behind what its group had committed to Kafka was rewound: `rewound_until` keeps where it had been.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection

from stream.kafka.position import Owned, Partition


class Fenced(Exception):
    """Another worker has taken these partitions over."""

    def __init__(self, partitions: Collection[Partition]) -> None:
        super().__init__(f"another worker owns {sorted(partitions)}")
        self.partitions = frozenset(partitions)


class Restored(Exception):
    """The store is not as this worker left it: another state of it was put in its place."""

    def __init__(self, partitions: Collection[Partition]) -> None:
        super().__init__(f"the store was put back: {sorted(partitions)}")
        self.partitions = frozenset(partitions)


# A partition without a place of its own, as in a new store, begins where Kafka says that its group was.
TAKE = """
INSERT INTO ownership (topic, partition, epoch, next_offset)
SELECT topic, partition, 1, reached
  FROM unnest(%(topics)b::text[], %(partitions)b::int[], %(reached)b::bigint[]) AS assigned (topic, partition, reached)
 ORDER BY 1, 2
ON CONFLICT (topic, partition) DO UPDATE
   SET epoch = ownership.epoch + 1, next_offset = coalesce(ownership.next_offset, excluded.next_offset)
RETURNING topic, partition, epoch, next_offset, coalesce(rewound_until, 0)
"""

# Of all partitions: what waits in a restored store may have been done since, whichever partition it came from. The
# epochs leave those behind that were given out between the backup and its restoring, so none is given out again.
REWIND = """
UPDATE ownership
   SET epoch = greatest(epoch + 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint),
       rewound_until = greatest(ownership.rewound_until, next_offset, reached)
  FROM (SELECT topic, partition, reached
          FROM ownership
          LEFT JOIN unnest(%(topics)b::text[], %(partitions)b::int[], %(reached)b::bigint[])
               AS taken (topic, partition, reached) USING (topic, partition)) AS known
 WHERE ownership.topic = known.topic AND ownership.partition = known.partition
RETURNING ownership.topic, ownership.partition, epoch, next_offset, coalesce(rewound_until, 0)
"""

PROMOTION = 7_370_697
"""The key of the advisory lock that a promotion holds: while one store takes another's place, nobody takes over."""

WAIT = "SELECT pg_advisory_xact_lock_shared(%(key)s)"

CURRENT = """
SELECT topic, partition, epoch, next_offset
  FROM ownership JOIN unnest(%(topics)b::text[], %(partitions)b::int[]) AS held (topic, partition)
 USING (topic, partition)
"""
HOLD = f"{CURRENT} FOR SHARE OF ownership"

# With the deletion of what was published, which each batch wants as well: one statement less.
ADVANCE = """
WITH published AS (DELETE FROM outbox WHERE id = ANY (%(published)b::bigint[]))
UPDATE ownership SET next_offset = moved.after
  FROM unnest(%(topics)b::text[], %(partitions)b::int[], %(epochs)b::bigint[], %(befores)b::bigint[],
              %(afters)b::bigint[]) AS moved (topic, partition, epoch, before, after)
 WHERE ownership.topic = moved.topic AND ownership.partition = moved.partition
   AND ownership.epoch = moved.epoch AND next_offset = moved.before
RETURNING ownership.topic, ownership.partition
"""


def acquire(
    tx: Connection, partitions: Collection[Partition], reached: Mapping[Partition, int]
) -> dict[Partition, Owned]:
    """Raise the epochs of newly assigned partitions; from the commit on, no former owner can write for them.

    `reached` is how far the group is known to have been; a partition not named there has not been read.
    Waits while another store is put in this one's place.
    """
    tx.exec_driver_sql(WAIT, {"key": PROMOTION})
    offsets = {"reached": [reached.get(partition, 0) for partition in partitions]}
    rows = tx.exec_driver_sql(TAKE, {**_columns(partitions), **offsets})
    return {(topic, partition): Owned(*rest) for topic, partition, *rest in rows}


def rewound(taken: Mapping[Partition, Owned], reached: Mapping[Partition, int]) -> dict[Partition, int]:
    """The partitions in which the store is behind what the group had reached, with that offset.

    A partition whose rewinding is in the store already is not among them.
    """
    return {
        partition: reached[partition]
        for partition, owned in taken.items()
        if reached.get(partition, 0) > max(owned.next_offset, owned.rewound_until)
    }


def rewind(tx: Connection, reached: Mapping[Partition, int]) -> dict[Partition, Owned]:
    """Note that this store was put back, and raise the epochs of all its partitions; how they stand now.

    `reached` is how far the group is known to have been, in any partition.
    """
    offsets = {"reached": list(reached.values())}
    rows = tx.exec_driver_sql(REWIND, {**_columns(reached), **offsets})
    return {(topic, partition): Owned(*rest) for topic, partition, *rest in rows}


def assert_held(tx: Connection, owned: Mapping[Partition, Owned]) -> None:
    """Keep these epochs from being raised until the transaction ends.

    Raises Fenced when one has been raised already, Restored when the store is not as its owner left it.
    """
    _compare(tx, HOLD, owned)


def check(tx: Connection, owned: Mapping[Partition, Owned]) -> None:
    """Raises what `assert_held` raises, and keeps nothing."""
    _compare(tx, CURRENT, owned)


def advance(
    tx: Connection, owned: Mapping[Partition, Owned], ends: Mapping[Partition, int], published: Collection[int] = ()
) -> None:
    """Move to the next offsets `ends` in this transaction, which keeps the epochs from being raised until it ends.

    Deletes the rows `published` of the outbox in the same statement.

    Raises Fenced when one has been raised already, Restored when the store is not as its owner left it.
    """
    moved = {
        **_columns(ends),
        "epochs": [owned[partition].epoch for partition in ends],
        "befores": [owned[partition].next_offset for partition in ends],
        "afters": list(ends.values()),
        "published": list(published),
    }
    done = {(topic, partition) for topic, partition in tx.exec_driver_sql(ADVANCE, moved)}
    if missing := {partition: owned[partition] for partition in ends if partition not in done}:
        check(tx, missing)
        raise Restored(missing)  # put right meanwhile; how it stands is read anew


def _compare(tx: Connection, query: str, owned: Mapping[Partition, Owned]) -> None:
    rows = tx.exec_driver_sql(query, _columns(owned))
    current = {(topic, partition): (epoch, after) for topic, partition, epoch, after in rows}
    wrong = {one: current.get(one) for one, was in owned.items() if current.get(one) != was[:2]}
    if fenced := [one for one, now in wrong.items() if now and now[0] > owned[one].epoch]:
        raise Fenced(fenced)
    if wrong:
        raise Restored(wrong)


def _columns(partitions: Collection[Partition]) -> dict[str, list[str] | list[int]]:
    return {"topics": [topic for topic, _ in partitions], "partitions": [number for _, number in partitions]}
