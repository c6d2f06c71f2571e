"""What a service has decided and not yet told: rows beside the state they follow from, published after the commit."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from stream.kafka.position import Partition


@dataclass(frozen=True, slots=True)
class Message:
    """Bytes for a topic, and the partition of the record they follow from."""

    source_topic: str
    source_partition: int
    topic: str
    key: bytes | None
    value: bytes


INSERT = """
INSERT INTO outbox (source_topic, source_partition, topic, key, value)
SELECT source_topic, source_partition, topic, key, value
  FROM unnest(%(source_topics)b::text[], %(source_partitions)b::int[], %(topics)b::text[], %(keys)b::bytea[],
              %(values)b::bytea[]) WITH ORDINALITY AS told (source_topic, source_partition, topic, key, value, n)
 ORDER BY n
RETURNING id
"""

LEFT = """
SELECT id, source_topic, source_partition, topic, key, value
  FROM outbox JOIN unnest(%(topics)b::text[], %(partitions)b::int[]) AS taken (source_topic, source_partition)
 USING (source_topic, source_partition) ORDER BY id
"""


def insert(tx: Connection, messages: Sequence[Message]) -> list[int]:
    """Keep messages, in order, until they are published; their row ids."""
    if not messages:
        return []
    columns = {
        "source_topics": [message.source_topic for message in messages],
        "source_partitions": [message.source_partition for message in messages],
        "topics": [message.topic for message in messages],
        "keys": [message.key for message in messages],
        "values": [message.value for message in messages],
    }
    return [row[0] for row in tx.exec_driver_sql(INSERT, columns)]


def unpublished(tx: Connection, partitions: Collection[Partition]) -> list[tuple[int, Message]]:
    """What a former owner of these partitions may not have published."""
    columns = {"topics": [topic for topic, _ in partitions], "partitions": [number for _, number in partitions]}
    return [(row_id, Message(*rest)) for row_id, *rest in tx.exec_driver_sql(LEFT, columns)]


def delete(tx: Connection, ids: Collection[int]) -> None:
    """Forget published messages."""
    if ids:
        tx.exec_driver_sql("DELETE FROM outbox WHERE id = ANY (%(ids)b::bigint[])", {"ids": list(ids)})
