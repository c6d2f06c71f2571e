"""The partitions that Kafka has assigned to a member of a consumer group, and which of them it owns. Pure.

Kafka assigns partitions, but the epochs in the store decide who owns them (see `stream.store.ownership`).
"""

from collections.abc import Collection, Mapping

from confluent_kafka import Message

from stream.kafka.position import Owned, Partition, partition_of


class AssignedPartitions:
    """`owned` has the partitions whose epoch this worker has acquired in the store, `unacquired` the others assigned.

    `joined` is True once Kafka has assigned partitions, and stays so.
    """

    def __init__(self) -> None:
        self.joined = False
        self.unacquired: set[Partition] = set()
        self.owned: dict[Partition, Owned] = {}
        self._fresh: set[Partition] = set()

    def add(self, assigned: Collection[Partition]) -> None:
        """Note that Kafka has assigned these; a member of a group with more members than partitions may get none."""
        self.joined = True
        self.unacquired |= set(assigned)
        self._fresh |= set(assigned)

    def is_fresh(self, partition: Partition) -> bool:
        """Return whether the partition was never owned since its assignment: it starts at the committed offset."""
        return partition in self._fresh

    def own(self, acquired: Mapping[Partition, Owned]) -> None:
        """Note the acquired epochs, except for partitions that Kafka has revoked meanwhile."""
        self.owned |= {partition: owned for partition, owned in acquired.items() if partition in self.unacquired}
        self.unacquired -= acquired.keys()
        self._fresh -= acquired.keys()

    def owns(self, message: Message) -> bool:
        """Return whether the message is from an owned partition."""
        return partition_of(message) in self.owned

    def advance(self, ends: Mapping[Partition, int]) -> None:
        """Note that the store has committed these next offsets."""
        for partition, end in ends.items():
            if partition in self.owned:  # Kafka may have revoked it meanwhile
                self.owned[partition] = self.owned[partition]._replace(next_offset=end)

    def rewound_until(self, partition: Partition) -> int:
        """Return the offset below which records may have been handled before the store was restored; 0 if none were."""
        owned = self.owned.get(partition)
        return owned.rewound_until if owned else 0

    def disown(self) -> None:
        """Mark all owned partitions for a new takeover.

        Used after a failed commit: it may have succeeded without an answer, and its outbox rows must be published.
        """
        self.unacquired |= self.owned.keys()
        self.owned = {}

    def forget(self, lost: Collection[Partition]) -> None:
        """Drop partitions that this member has lost."""
        self.unacquired -= set(lost)
        self._fresh -= set(lost)
        self.owned = {partition: owned for partition, owned in self.owned.items() if partition not in lost}

    def clear(self) -> None:
        """Drop all partitions."""
        self.unacquired, self.owned, self._fresh = set(), {}, set()
