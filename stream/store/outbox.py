"""The outbox: messages written in the transaction of the state change they report, and published after its commit."""

from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import Connection

from stream.kafka.position import Partition, columns_of
from stream.store import statements
from stream.store.statements import ColumnValues


class OutboxMessage(msgspec.Struct, frozen=True, gc=False):
    """An encoded record to publish to `topic`. `source_topic` and `source_partition` name the record that caused it."""

    source_topic: str
    source_partition: int
    topic: str
    key: bytes | None
    value: bytes


INSERT = """
INSERT INTO outbox (source_topic, source_partition, topic, key, value)
SELECT source_topic, source_partition, topic, key, value
  FROM unnest(%(source_topics)b::text[], %(source_partitions)b::int[], %(topics)b::text[], %(keys)b::bytea[],
              %(values)b::bytea[]) WITH ORDINALITY AS messages (source_topic, source_partition, topic, key, value, n)
 ORDER BY n
RETURNING id
"""

UNPUBLISHED = """
SELECT id, source_topic, source_partition, topic, key, value
  FROM outbox JOIN unnest(%(topics)b::text[], %(partitions)b::int[]) AS owned (source_topic, source_partition)
 USING (source_topic, source_partition) ORDER BY id
"""


def insert(tx: Connection, messages: Sequence[OutboxMessage]) -> list[int]:
    """Insert the messages; return the ids of their rows, in the same order."""
    if not messages:
        return []
    columns: ColumnValues = {
        "source_topics": [message.source_topic for message in messages],
        "source_partitions": [message.source_partition for message in messages],
        "topics": [message.topic for message in messages],
        "keys": [message.key for message in messages],
        "values": [message.value for message in messages],
    }
    return [row[0] for row in statements.execute(tx, INSERT, columns)]


def unpublished(tx: Connection, partitions: Collection[Partition]) -> list[tuple[int, OutboxMessage]]:
    """Return the ids and messages of all rows with these source partitions, in the order of insertion.

    A new owner calls this before it writes: a former owner has left the rows, and may not have published them.
    """
    rows = tx.exec_driver_sql(UNPUBLISHED, columns_of(partitions))
    return [(row_id, OutboxMessage(*rest)) for row_id, *rest in rows]


def delete(tx: Connection, ids: Collection[int]) -> None:
    """Delete the rows with these ids, whose messages are published. Ids without a row are ignored."""
    if ids:
        tx.exec_driver_sql("DELETE FROM outbox WHERE id = ANY (%(ids)b::bigint[])", {"ids": list(ids)})
