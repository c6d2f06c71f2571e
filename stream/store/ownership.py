"""Ownership of partitions by fencing tokens (epochs), and the store's next offset in each partition.

Kafka may reassign the partition of a frozen worker without the worker noticing. The new owner raises the epoch, so the
former owner's next transaction finds an epoch other than its own and raises Fenced.

`next_offset` is the offset after the last record that was ever handled. It advances in the transaction of each batch,
so a store that is restored from a backup knows where to continue; a batch that Kafka delivers again leaves it as it is.
A store whose offset is behind the one its group had committed to Kafka was rewound: `rewound_until` holds the offset
that was reached before the restore.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection

from stream.kafka.position import Owned, Partition


class Fenced(Exception):
    """Another worker has acquired these partitions; the transaction must be rolled back, and the group rejoined."""

    def __init__(self, partitions: Collection[Partition]) -> None:
        super().__init__(f"another worker owns {sorted(partitions)}")
        self.partitions = frozenset(partitions)


class Restored(Exception):
    """The store's offsets or epochs are not those that this worker committed: the store was restored from a backup.

    The transaction must be rolled back, and the partitions acquired again.
    """

    def __init__(self, partitions: Collection[Partition]) -> None:
        super().__init__(f"the store was restored from a backup: {sorted(partitions)}")
        self.partitions = frozenset(partitions)


# A partition without an offset in the store, as in a new store, begins at the offset that its group had reached.
ACQUIRE = """
INSERT INTO ownership (topic, partition, epoch, next_offset)
SELECT topic, partition, 1, reached
  FROM unnest(%(topics)b::text[], %(partitions)b::int[], %(reached)b::bigint[]) AS assigned (topic, partition, reached)
 ORDER BY 1, 2
ON CONFLICT (topic, partition) DO UPDATE
   SET epoch = ownership.epoch + 1, next_offset = coalesce(ownership.next_offset, excluded.next_offset)
RETURNING topic, partition, epoch, next_offset, coalesce(rewound_until, 0)
"""

# All partitions are rewound: work pending in a restored store may have been done after the backup, whichever partition
# it came from. The new epochs exceed all those acquired between backup and restore, so no epoch is used twice.
REWIND = """
UPDATE ownership
   SET epoch = greatest(epoch + 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint),
       rewound_until = greatest(ownership.rewound_until, next_offset, reached)
  FROM (SELECT topic, partition, reached
          FROM ownership
          LEFT JOIN unnest(%(topics)b::text[], %(partitions)b::int[], %(reached)b::bigint[])
               AS acquired (topic, partition, reached) USING (topic, partition)) AS known
 WHERE ownership.topic = known.topic AND ownership.partition = known.partition
RETURNING ownership.topic, ownership.partition, epoch, next_offset, coalesce(rewound_until, 0)
"""

PROMOTION = 7_370_697
"""The key of the advisory lock that a promotion holds: no partition is acquired while a store is being replaced."""

WAIT_FOR_PROMOTION = "SELECT pg_advisory_xact_lock_shared(%(key)s)"

CURRENT = """
SELECT topic, partition, epoch, next_offset
  FROM ownership JOIN unnest(%(topics)b::text[], %(partitions)b::int[]) AS held (topic, partition)
 USING (topic, partition)
"""
CURRENT_LOCKED = f"{CURRENT} FOR SHARE OF ownership"

# It deletes the published outbox rows too, which saves each batch a statement.
ADVANCE = """
WITH published AS (DELETE FROM outbox WHERE id = ANY (%(published)b::bigint[]))
UPDATE ownership SET next_offset = greatest(next_offset, moved.after)
  FROM unnest(%(topics)b::text[], %(partitions)b::int[], %(epochs)b::bigint[], %(befores)b::bigint[],
              %(afters)b::bigint[]) AS moved (topic, partition, epoch, before, after)
 WHERE ownership.topic = moved.topic AND ownership.partition = moved.partition
   AND ownership.epoch = moved.epoch AND next_offset = moved.before
RETURNING ownership.topic, ownership.partition
"""


def acquire(
    tx: Connection, partitions: Collection[Partition], reached: Mapping[Partition, int]
) -> dict[Partition, Owned]:
    """Raise the epochs of newly assigned partitions; return the new epoch and the next offset of each.

    After the commit, no former owner can write for them. A partition without an offset in the store, as in a new store,
    starts at its next offset in `reached`, which the group is known to have reached, else at 0. Waits while a promotion
    replaces this store; raises OperationalError when that takes longer than the session's `lock_timeout`.
    """
    tx.exec_driver_sql(WAIT_FOR_PROMOTION, {"key": PROMOTION})
    offsets = {"reached": [reached.get(partition, 0) for partition in partitions]}
    rows = tx.exec_driver_sql(ACQUIRE, {**_columns(partitions), **offsets})
    return {(topic, partition): Owned(*rest) for topic, partition, *rest in rows}


def rewound(acquired: Mapping[Partition, Owned], reached: Mapping[Partition, int]) -> dict[Partition, int]:
    """Return the partitions in which the store is behind the next offset that the group had reached, with that offset.

    Partitions whose rewind is already recorded in the store are left out. Any partition in the result means that the
    store was restored from a backup.
    """
    return {
        partition: reached[partition]
        for partition, owned in acquired.items()
        if reached.get(partition, 0) > max(owned.next_offset, owned.rewound_until)
    }


def rewind(tx: Connection, reached: Mapping[Partition, int]) -> dict[Partition, Owned]:
    """Record that this store was restored, and raise the epochs of all partitions in it; return their new states.

    `reached` holds the next offsets that the group is known to have reached: the new `rewound_until`, unless the store
    is further.
    """
    offsets = {"reached": list(reached.values())}
    rows = tx.exec_driver_sql(REWIND, {**_columns(reached), **offsets})
    return {(topic, partition): Owned(*rest) for topic, partition, *rest in rows}


def assert_held(tx: Connection, owned: Mapping[Partition, Owned]) -> None:
    """Lock the rows of these partitions until the transaction ends, so that no other worker can raise an epoch.

    Raises Fenced when an epoch has been raised already, and Restored when an epoch is lower than in `owned`, a next
    offset differs, or a row is missing.
    """
    _compare(tx, CURRENT_LOCKED, owned)


def check(tx: Connection, owned: Mapping[Partition, Owned]) -> None:
    """Raise the errors of `assert_held`, without locking the epochs."""
    _compare(tx, CURRENT, owned)


def advance(
    tx: Connection, owned: Mapping[Partition, Owned], ends: Mapping[Partition, int], published: Collection[int] = ()
) -> None:
    """Advance the store to the next offsets `ends`, and lock the rows of these partitions until the transaction ends.

    An offset that is higher stays. `owned` must have all partitions of `ends`. Also deletes the outbox rows with the
    ids `published`. Raises the errors of `assert_held`.
    """
    parameters = {
        **_columns(ends),
        "epochs": [owned[partition].epoch for partition in ends],
        "befores": [owned[partition].next_offset for partition in ends],
        "afters": list(ends.values()),
        "published": list(published),
    }
    advanced = {(topic, partition) for topic, partition in tx.exec_driver_sql(ADVANCE, parameters)}
    if missing := {partition: owned[partition] for partition in ends if partition not in advanced}:
        check(tx, missing)
        raise Restored(missing)  # the row matches by now; a new takeover reads its state again


def _compare(tx: Connection, query: str, owned: Mapping[Partition, Owned]) -> None:
    rows = tx.exec_driver_sql(query, _columns(owned))
    current = {(topic, partition): (epoch, next_offset) for topic, partition, epoch, next_offset in rows}
    differing = {key: current.get(key) for key, expected in owned.items() if current.get(key) != expected[:2]}
    if fenced := [key for key, found in differing.items() if found and found[0] > owned[key].epoch]:
        raise Fenced(fenced)
    if differing:
        raise Restored(differing)


def _columns(partitions: Collection[Partition]) -> dict[str, list[str] | list[int]]:
    return {"topics": [topic for topic, _ in partitions], "partitions": [number for _, number in partitions]}
