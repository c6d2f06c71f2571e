"""Who may write for a partition: the holder of its newest epoch.

Kafka may take a partition from a worker that is frozen and does not know. Its successor raises the epoch; whatever the
old one then tries to commit finds another epoch than its own, and gives up.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection

Partition = tuple[str, int]


class Fenced(Exception):
    """Another worker has taken these partitions over."""

    def __init__(self, partitions: Collection[Partition]) -> None:
        super().__init__(f"another worker owns {sorted(partitions)}")
        self.partitions = frozenset(partitions)


TAKE = """
INSERT INTO ownership (topic, partition, epoch)
SELECT topic, partition, 1
  FROM unnest(%(topics)b::text[], %(partitions)b::int[]) AS assigned (topic, partition) ORDER BY 1, 2
ON CONFLICT (topic, partition) DO UPDATE SET epoch = ownership.epoch + 1
RETURNING topic, partition, epoch
"""

PROMOTION = 7_370_697
"""The key of the advisory lock that a promotion holds: while one store takes another's place, nobody takes over."""

WAIT = "SELECT pg_advisory_xact_lock_shared(%(key)s)"

HOLD = """
SELECT topic, partition, epoch
  FROM ownership JOIN unnest(%(topics)b::text[], %(partitions)b::int[]) AS held (topic, partition)
 USING (topic, partition)
   FOR SHARE OF ownership
"""


def take(tx: Connection, partitions: Collection[Partition]) -> dict[Partition, int]:
    """Raise the epochs of newly assigned partitions; from the commit on, no former owner can write for them.

    Waits while another store is put in this one's place.
    """
    tx.exec_driver_sql(WAIT, {"key": PROMOTION})
    rows = tx.exec_driver_sql(TAKE, _columns(partitions))
    return {(topic, partition): epoch for topic, partition, epoch in rows}


def hold(tx: Connection, epochs: Mapping[Partition, int]) -> None:
    """Keep these epochs from being raised until the transaction ends.

    Raises Fenced when one has been raised already.
    """
    rows = tx.exec_driver_sql(HOLD, _columns(epochs))
    current = {(topic, partition): epoch for topic, partition, epoch in rows}
    lost = [partition for partition, epoch in epochs.items() if current.get(partition) != epoch]
    if lost:
        raise Fenced(lost)


def _columns(partitions: Collection[Partition]) -> dict[str, list[str] | list[int]]:
    return {"topics": [topic for topic, _ in partitions], "partitions": [number for _, number in partitions]}
