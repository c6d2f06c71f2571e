"""Reads every topic from its beginning up to its current end; later calls read only what was appended since."""

import time
from collections.abc import Iterator, Mapping

from confluent_kafka import KafkaException, Message, TopicPartition

from auditor.evidence import Entry
from stream.avro.codec import Codec
from stream.avro.registry import registry_of_environment
from stream.events import topics
from stream.kafka import delivery
from stream.kafka.client_config import QUIET, Cluster
from stream.kafka.offsets import OffsetLister
from stream.kafka.position import Partition

ANSWER_S = 10.0
SILENCE_S = 30.0
BATCH = 5_000


class Unreachable(Exception):
    """Kafka did not answer in time."""


class Log:
    """The records of all topics of one cluster, held in memory."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._cluster = Cluster.of_environment(env, "auditor")
        self._codec = Codec(registry_of_environment(env))
        self._lister = OffsetLister(self._cluster, ANSWER_S)
        # It commits no offset and joins no group, but librdkafka requires a group name.
        self._consumer = self._cluster.consumer("auditor", {**QUIET, "enable.auto.commit": False})
        self._next: dict[Partition, int] = {}
        self._entries: list[Entry] = []

    def close(self) -> None:
        """Close the connection to the cluster."""
        self._consumer.close()

    def read(self) -> tuple[Entry, ...]:
        """Return all records up to the current ends of the topics.

        Raises Unreachable when Kafka does not answer within ANSWER_S, or sends nothing for SILENCE_S.
        """
        try:
            known = self._lister.existing(topics.ALL)
            ends, begins = self._lister.end(known), self._lister.first(known)
            wanted = {
                partition: end
                for partition, end in ends.items()
                if end > max(self._next.get(partition, 0), begins.get(partition, 0))
            }
            self._entries += self._collect(wanted)
        except KafkaException as failure:
            raise Unreachable(f"Kafka does not answer: {failure.args[0].str()}") from failure
        return tuple(self._entries)

    def committed(self, group: str) -> dict[Partition, int]:
        """Return the next offset of each partition in a service's consumer group.

        Raises Unreachable when Kafka does not answer within ANSWER_S.
        """
        try:
            return self._lister.committed(group)
        except KafkaException as failure:
            raise Unreachable(
                f"Kafka does not return the offsets of group {group}: {failure.args[0].str()}"
            ) from failure

    def _collect(self, ends: Mapping[Partition, int]) -> Iterator[Entry]:
        left = dict(ends)
        self._consumer.assign([TopicPartition(*partition, self._next.get(partition, 0)) for partition in left])
        last_message_at = time.monotonic()
        while left:
            messages = self._consumer.consume(BATCH, 0.2)
            last_message_at = time.monotonic() if messages else last_message_at
            if time.monotonic() - last_message_at > SILENCE_S:
                raise Unreachable(
                    f"Kafka sent nothing for {SILENCE_S:g} s; {len(left)} partitions are not read to their end"
                )
            for message in messages:
                yield from self._entry(message, left)
        self._consumer.unassign()

    def _entry(self, message: Message, left: dict[Partition, int]) -> Iterator[Entry]:
        """Yield the message's entry unless it is beyond its partition's end in `left`."""
        if message.error() is not None:
            return
        record = delivery.read(self._codec, message)
        partition = (record.topic, record.partition)
        if record.offset >= left.get(partition, 0):
            return
        self._next[partition] = record.offset + 1
        if record.offset + 1 == left[partition]:
            del left[partition]
        yield Entry(record, message.timestamp()[1])
