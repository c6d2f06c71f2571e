"""The positions of a replay in the partitions that it reads, in the schema that it fills.

A position is the next offset to read. Each batch moves the positions in the same transaction as its rows, so a killed
replay resumes exactly there.
"""

from collections.abc import Mapping
from typing import Literal

from sqlalchemy import Connection

from stream.kafka.position import Partition
from stream.replay.offsets import OffsetRange

Purpose = Literal["source", "published"]
"""The purpose of reading a partition: to apply its events, or to note which domain events are already published."""
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


class PositionMoved(Exception):
    """Another process has moved the positions of this replay; roll back, and read on from the new positions."""


def extend(tx: Connection, purpose: Purpose, ranges: Mapping[Partition, OffsetRange]) -> None:
    """Store ranges to read. A partition that is stored already keeps its position, and its end is only ever raised."""
    rows = [(*partition, range_.first, range_.end) for partition, range_ in sorted(ranges.items())]
    if not rows:  # a service that has received nothing has no positions
        return
    topics, partitions, firsts, ends = map(list, zip(*rows, strict=True))
    columns = {"topics": topics, "partitions": partitions, "firsts": firsts, "ends": ends}
    tx.exec_driver_sql(EXTEND, {**columns, "purpose": purpose})


def unread(tx: Connection, purpose: Purpose) -> dict[Partition, OffsetRange]:
    """Return the unread offsets of each stored partition; the range is empty if all are read."""
    rows = tx.exec_driver_sql(UNREAD, {"purpose": purpose})
    return {(topic, number): OffsetRange(next_, end) for topic, number, next_, end in rows}


def move(tx: Connection, purpose: Purpose, ends: Mapping[Partition, int]) -> None:
    """Set the positions of these stored partitions to these next offsets, whatever they were."""
    rows = [(*partition, end) for partition, end in sorted(ends.items())]
    if rows:
        topics, partitions, after = map(list, zip(*rows, strict=True))
        tx.exec_driver_sql(MOVE, {"topics": topics, "partitions": partitions, "ends": after, "purpose": purpose})


def advance(tx: Connection, before: Mapping[Partition, int], after: Mapping[Partition, int]) -> None:
    """Move the positions of the partitions in `after`, of which there is at least one, from `before` to `after`.

    It concerns the purpose `source`; call it first in the transaction of a batch, to lock the rows. Raises
    PositionMoved when a partition is no longer at its position in `before`.
    """
    rows = [(*partition, before[partition], end) for partition, end in sorted(after.items())]
    topics, partitions, befores, ends = map(list, zip(*rows, strict=True))
    columns = {"topics": topics, "partitions": partitions, "befores": befores, "ends": ends}
    if tx.exec_driver_sql(ADVANCE, columns).rowcount != len(rows):
        raise PositionMoved
