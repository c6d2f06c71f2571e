"""Takes over partitions that Kafka has assigned: acquires their epochs in the store and seeks to their positions."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from confluent_kafka import KafkaException, Message
from sqlalchemy import Connection, Engine

from runtime.logging import log
from stream.events import Record
from stream.kafka.group.consumer import GroupConsumer
from stream.kafka.position import Owned, Partition
from stream.store import outbox, ownership
from stream.store.outbox import OutboxMessage
from stream.worker.handler import Handler
from stream.worker.monitoring import metrics

SEEK_TIMEOUT_S = 10.0
SEEK_RETRY_S = 0.1


@dataclass(frozen=True, slots=True)
class RestoreHooks:
    """The hooks of a service with outside effects, such as mails, for a store restored from a backup.

    `on_rewind` deactivates the pending work of the store, inside the transaction that detects the restore.
    `handle_again` applies events that may have been handled before the restore, instead of the service's handler. To
    recognize them, the worker of a service with these hooks commits its offsets to Kafka after every batch.
    """

    handle_again: Handler[Record]
    on_rewind: Callable[[Connection], None]


@dataclass(frozen=True, slots=True)
class Acquired:
    """The partitions that `Takeover.acquire` acquired, and what is left to do before they are owned.

    `unpublished` are the ids and messages of the outbox rows that their previous owner left. `forgotten` has the next
    offsets, from the store, of partitions for which Kafka has no offset of the group.
    """

    owned: dict[Partition, Owned]
    unpublished: list[tuple[int, OutboxMessage]]
    forgotten: dict[Partition, int]


class Takeover:
    """Takes over partitions for one worker. `while_waiting` is called during waits, to keep the worker in its group."""

    def __init__(
        self,
        store: Engine,
        consumer: GroupConsumer,
        restore_hooks: RestoreHooks | None,
        while_waiting: Callable[[], None],
    ) -> None:
        self._store = store
        self._consumer = consumer
        self._restore_hooks = restore_hooks
        self._while_waiting = while_waiting

    def acquire(self, in_hand: list[Message]) -> Acquired:
        """Acquire all unacquired partitions in one transaction, then seek back where the store is behind Kafka.

        If the offsets show that the store was restored from a backup, the transaction also records that, and calls
        `on_rewind`. Messages of `in_hand` that Kafka will deliver again are removed from it. Raises KafkaException when
        Kafka does not return the group's offsets, or a seek still fails after SEEK_TIMEOUT_S: call it again then.
        """
        assigned = sorted(self._consumer.partitions.unacquired)
        committed = self._consumer.offsets.committed()
        reached = self._consumer.offsets.reached(committed)
        with self._store.begin() as tx:
            acquired = ownership.acquire(tx, assigned, reached)
            if behind := ownership.rewound(acquired, reached):
                now = ownership.rewind(tx, reached)
                if self._restore_hooks:
                    self._restore_hooks.on_rewind(tx)
                _report_rewound(acquired, behind)
                acquired = {partition: now[partition] for partition in acquired}
            unpublished = outbox.unpublished(tx, assigned)
        self._seek(acquired, committed, in_hand)
        forgotten = {
            partition: owned.next_offset
            for partition, owned in acquired.items()
            if owned.next_offset and partition not in committed
        }
        return Acquired(acquired, unpublished, forgotten)

    def own(self, acquired: Acquired) -> None:
        """Mark the partitions as owned; call it once the messages in `acquired.unpublished` are published.

        If Kafka has forgotten the group, its offsets are committed again, for monitoring and for the next member.
        """
        self._consumer.own(acquired.owned)
        if acquired.forgotten:
            self._consumer.commit_offsets(acquired.forgotten)

    def _seek(
        self, acquired: Mapping[Partition, Owned], committed: Mapping[Partition, int], in_hand: list[Message]
    ) -> None:
        """Seek back where the store is behind; wait up to SEEK_TIMEOUT_S until librdkafka knows the group's offsets.

        Raises KafkaException after that time.
        """
        until = time.monotonic() + SEEK_TIMEOUT_S
        while True:
            try:
                self._consumer.seek_back(acquired, committed, in_hand)
            except KafkaException:
                if time.monotonic() > until:
                    raise
                time.sleep(SEEK_RETRY_S)
                self._while_waiting()
            else:
                return


def _report_rewound(acquired: Mapping[Partition, Owned], reached: Mapping[Partition, int]) -> None:
    """Log and count, by topic, the records that are read again because the store was restored."""
    for topic in sorted({topic for topic, _ in reached}):
        behind = [end - acquired[partition].next_offset for partition, end in reached.items() if partition[0] == topic]
        metrics.REWOUND.labels(topic).inc(sum(behind))
        log.warning("store.rewound", topic=topic, count=sum(behind))
