"""The events in the inbox that wait for another event, such as their order."""

from collections.abc import Collection

from sqlalchemy import Connection

from stream.kafka.position import EventPosition, Partition, columns_of

WAITING = "SELECT count(*) FROM inbox WHERE outcome = 'waiting'"

# Releasing an event that was dismissed while it waited revokes the dismissal.
RELEASE = """
WITH released AS (
    UPDATE inbox SET outcome = 'processed'
     WHERE event_id = ANY (%(ids)b::text[]::uuid[]) AND outcome IN ('waiting', 'dead')
    RETURNING event_id, topic, partition, "offset"),
reopened AS (DELETE FROM retries USING released WHERE retries.event_id = released.event_id AND status = 'dismissed')
SELECT event_id::text, topic, partition, "offset" FROM released
"""

MARK_OVERDUE = """
UPDATE inbox SET outcome = 'dead'
  FROM unnest(%(topics)b::text[], %(partitions)b::int[]) AS owned (topic, partition)
 WHERE inbox.topic = owned.topic AND inbox.partition = owned.partition
   AND outcome = 'waiting' AND handled_at < now() - make_interval(secs => %(seconds)b::float8)
RETURNING event_id::text, inbox.topic, inbox.partition, "offset"
"""

OVERDUE = "still waiting for another event, such as its order; it will be processed when that event arrives"


def release(tx: Connection, event_ids: Collection[str]) -> list[EventPosition]:
    """Mark waiting events as processed, also those that waited too long; return the positions of those marked.

    Their dismissals, if any, are revoked. Events whose outcome is neither `waiting` nor `dead` are left out; none of
    the events may be dead because it failed.
    """
    if not event_ids:
        return []
    return [EventPosition(*row) for row in tx.exec_driver_sql(RELEASE, {"ids": list(event_ids)})]


def count(tx: Connection) -> int:
    """Return the number of waiting events on all partitions."""
    found: int = tx.exec_driver_sql(WAITING).scalar_one()
    return found


def mark_overdue(tx: Connection, partitions: Collection[Partition], seconds: float) -> list[EventPosition]:
    """Mark the events of these partitions that have waited longer than `seconds` as `dead`; return their positions.

    `release` can still release them.
    """
    rows = tx.exec_driver_sql(MARK_OVERDUE, {**columns_of(partitions), "seconds": seconds})
    return [EventPosition(*row) for row in rows]
