"""The next offsets that a consumer's group has committed to Kafka, and those that this member has reached."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from runtime import faults
from runtime.logging import log
from stream.events.topics import PARTITIONS
from stream.kafka import admin
from stream.kafka.cluster import Cluster
from stream.kafka.position import Partition, partition_of
from stream.kafka.watchdog import Watchdog

COMMITTED_TIMEOUT_S = 5.0
POLL_S = 0.01
"""Seconds between two looks for Kafka's answer to a commit that is waited for."""


class GroupOffsets:
    """Reads and commits offsets through `consumer`, for the partitions of `topics`."""

    def __init__(self, consumer: Consumer, topics: Sequence[str], cluster: Cluster) -> None:
        self._consumer = consumer
        self._topics = topics
        self._watchdog = Watchdog("consumer", partial(admin.are_healthy, cluster))
        self._handled_until: dict[Partition, int] = {}
        self._known: set[Partition] = set()  # those with an offset in Kafka
        self._refusal: KafkaError | None = None
        self.problem = self._watchdog.problem

    def committed(self) -> dict[Partition, int]:
        """Return the next offset that the group has committed to Kafka, for each partition with one.

        Raises KafkaException when Kafka does not answer within COMMITTED_TIMEOUT_S, and SystemExit when the client is
        stuck: other clients found Kafka healthy all that time.
        """
        partitions = [TopicPartition(topic, number) for topic in self._topics for number in range(PARTITIONS)]
        try:
            found = self._consumer.committed(partitions, COMMITTED_TIMEOUT_S)
            failed = next((partition.error for partition in found if partition.error), None)
        except KafkaException as failure:
            found, failed = [], failure.args[0]
        if failed:
            self._watchdog.check(self._topics)
            raise KafkaException(failed)
        self._watchdog.reset()
        offsets = {
            (partition.topic, partition.partition): partition.offset for partition in found if partition.offset >= 0
        }
        self._known = set(offsets)
        return offsets

    def reached(self, committed: Mapping[Partition, int]) -> dict[Partition, int]:
        """Return the higher of two next offsets of each partition: in `committed`, and that given to `note_handled`.

        `committed` lags behind, since offsets are committed in the background.
        """
        partitions = committed.keys() | self._handled_until.keys()
        return {
            partition: max(committed.get(partition, 0), self._handled_until.get(partition, 0))
            for partition in partitions
        }

    def commit_beginnings(self, messages: Iterable[Message], while_waiting: Callable[[], None]) -> None:
        """Commit the offset of the first of these records of each partition for which Kafka has no offset of the group.

        Call it before the records are handled. Otherwise Kafka would have no offset after a crash within the first
        seconds, and the worker would go on at the offset in the store: the outcomes that it held for the records before
        that would never be published. Returns when Kafka has the offsets. Until then `while_waiting` is called every
        POLL_S and must poll the consumer: librdkafka's own wait never ends if Kafka takes partitions away meanwhile.
        Raises KafkaException when Kafka refuses the offsets, and SystemExit when the client is stuck.
        """
        beginnings: dict[Partition, int] = {}
        for message in messages:
            partition, offset = partition_of(message), message.offset()
            if partition not in self._known and offset is not None:
                beginnings.setdefault(partition, offset)
        if not beginnings:
            return
        self._refusal = None
        offsets = [TopicPartition(*partition, offset) for partition, offset in beginnings.items()]
        self._consumer.commit(offsets=offsets, asynchronous=True)
        while not beginnings.keys() <= self._known:
            time.sleep(POLL_S)
            while_waiting()
            if self._refusal:
                raise KafkaException(self._refusal)
            self._watchdog.check(self._topics)
        self._watchdog.reset()

    def note_committed(self, error: KafkaError | None, partitions: Sequence[TopicPartition]) -> None:
        """Note Kafka's answer to a commit: the error of the whole commit or of single partitions, if any.

        librdkafka's own commits name all assigned partitions, without an offset where nothing was committed.
        """
        for partition in (named for named in partitions if named.offset >= 0):
            if refusal := error or partition.error:
                self._refusal = refusal
            else:
                self._known.add((partition.topic, partition.partition))

    @faults.on_call("worker.before_offsets")
    @faults.on_return("worker.after_offsets")
    def commit(self, ends: Mapping[Partition, int], *, at_once: bool) -> None:
        """Commit these next offsets in the background: when the consumer closes at the latest, now if `at_once`."""
        offsets = [TopicPartition(*partition, end) for partition, end in ends.items()]
        if not offsets:
            return
        try:
            self._consumer.store_offsets(offsets=offsets)
            if at_once:
                self._consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as lost:  # a partition was revoked; the inbox lets its next owner skip the batch
            log.info("offsets.lost", error=str(lost))

    def note_handled(self, ends: Mapping[Partition, int]) -> None:
        """Note that this member has handled all records before these offsets. Lower ones than before are ignored."""
        handled = self._handled_until
        self._handled_until |= {partition: max(end, handled.get(partition, 0)) for partition, end in ends.items()}
