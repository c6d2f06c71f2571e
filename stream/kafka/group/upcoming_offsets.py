"""Finds the offset that a consumer would handle next, and seeks back to the store's where that is lower."""

from collections.abc import Iterator, Mapping, Sequence

from confluent_kafka import Consumer, Message, TopicPartition

from stream.kafka import watchdog
from stream.kafka.group.assigned_partitions import AssignedPartitions
from stream.kafka.position import Owned, Partition, partition_of


class UpcomingOffsets:
    """Knows the offset that `consumer` would handle next in each of its assigned `partitions`."""

    def __init__(self, consumer: Consumer, partitions: AssignedPartitions) -> None:
        self._consumer = consumer
        self._partitions = partitions
        self._starts: dict[Partition, int] = {}

    def seek_back(
        self, acquired: Mapping[Partition, Owned], committed: Mapping[Partition, int], waiting: Sequence[Message]
    ) -> Iterator[Partition]:
        """Seek to the store's next offset in each acquired partition where the consumer would go on at a higher one.

        A lower one, as after a batch whose offsets were not committed to Kafka, is left: the inbox recognizes records
        that come again. Yield each partition after its seek, because its messages will be fetched again. `committed`
        are the group's offsets in Kafka, `waiting` the messages that are fetched and not handled. Raises KafkaException
        while librdkafka does not know where a partition starts: try again later.
        """
        for partition, owned in acquired.items():
            if partition not in self._partitions.unacquired:  # Kafka has revoked it meanwhile
                continue
            upcoming = self._upcoming(partition, committed, waiting)
            if owned.next_offset > 0 if upcoming is None else upcoming > owned.next_offset:
                with watchdog.bounded():
                    self._consumer.seek(TopicPartition(*partition, owned.next_offset))
                self._starts[partition] = owned.next_offset
                yield partition
            elif self._partitions.is_fresh(partition):
                self._starts[partition] = upcoming or 0

    def _upcoming(
        self, partition: Partition, committed: Mapping[Partition, int], waiting: Sequence[Message]
    ) -> int | None:
        """Return the offset that would be handled next; None if it is the first in Kafka, whose number is not known."""
        if self._partitions.is_fresh(partition):
            return committed.get(partition)
        of_partition = (message for message in waiting if partition_of(message) == partition)
        offsets = [offset for message in of_partition if (offset := message.offset()) is not None]
        if offsets:
            return min(offsets)
        (position,) = self._consumer.position([TopicPartition(*partition)])
        known = max(position.offset, self._starts.get(partition, -1))
        return known if known >= 0 else committed.get(partition)
