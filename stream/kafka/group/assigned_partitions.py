"""The partitions that Kafka has assigned to a member of a consumer group, and those of them that it owns. Pure.

Kafka assigns partitions, but the epochs in the store decide who owns them (see `stream.store.ownership`).
"""

from collections.abc import Collection, Mapping

from confluent_kafka import Message

from stream.kafka.position import Owned, Partition, partition_of


class AssignedPartitions:
    """`owned` has the partitions whose epoch this worker has acquired in the store, `unacquired` the others assigned.

    `joined` becomes True with the first assignment, even of no partitions, and stays True.
    """

    def __init__(self) -> None:
        self.joined = False
        self.unacquired: set[Partition] = set()
        self.owned: dict[Partition, Owned] = {}
        self._fresh: set[Partition] = set()

    def add(self, assigned: Collection[Partition]) -> None:
        """Add newly assigned partitions as unacquired; there are none in a group with more members than partitions."""
        self.joined = True
        self.unacquired |= set(assigned)
        self._fresh |= set(assigned)

    def is_fresh(self, partition: Partition) -> bool:
        """Return whether the partition has not been owned since its assignment.

        librdkafka then starts at the offset that the group has committed.
        """
        return partition in self._fresh

    def own(self, acquired: Mapping[Partition, Owned]) -> None:
        """Move acquired partitions from `unacquired` to `owned`, except for those that Kafka has revoked meanwhile."""
        self.owned |= {partition: owned for partition, owned in acquired.items() if partition in self.unacquired}
        self.unacquired -= acquired.keys()
        self._fresh -= acquired.keys()

    def owns(self, message: Message) -> bool:
        """Return whether the message is from an owned partition."""
        return partition_of(message) in self.owned

    def advance(self, ends: Mapping[Partition, int]) -> None:
        """Raise the next offsets of owned partitions to these, which the store has committed; higher ones stay.

        Other partitions are ignored: Kafka may have revoked them meanwhile.
        """
        for partition in ends.keys() & self.owned.keys():
            owned = self.owned[partition]
            self.owned[partition] = owned._replace(next_offset=max(owned.next_offset, ends[partition]))

    def rewound_until(self, partition: Partition) -> int:
        """Return the offset below which records may have been handled before the store was restored.

        It is 0 if the store was not restored, or the partition is not owned.
        """
        owned = self.owned.get(partition)
        return owned.rewound_until if owned else 0

    def disown(self) -> None:
        """Move all owned partitions to `unacquired`, so that the worker takes them over again.

        That is needed after a failed commit: it may have succeeded without an answer, and then its outbox rows must be
        published.
        """
        self.unacquired |= self.owned.keys()
        self.owned = {}

    def forget(self, lost: Collection[Partition]) -> None:
        """Remove partitions that this member has lost, owned or not."""
        self.unacquired -= set(lost)
        self._fresh -= set(lost)
        self.owned = {partition: owned for partition, owned in self.owned.items() if partition not in lost}

    def clear(self) -> None:
        """Remove all partitions; `joined` stays."""
        self.unacquired, self.owned, self._fresh = set(), {}, set()
