"""Reads all topics from their beginnings up to their current ends, and the offsets of consumer groups."""

from collections.abc import Mapping

from confluent_kafka import KafkaException, Message

from auditor.evidence import LogRecord
from stream.avro.codec import Codec
from stream.avro.registry import registry_of_environment
from stream.events import topics
from stream.kafka import delivery, topic_reader
from stream.kafka.cluster import Cluster
from stream.kafka.offsets import OffsetLister
from stream.kafka.position import Partition
from stream.kafka.topic_reader import KafkaUnavailable

ANSWER_S = 10.0
SILENCE_S = 30.0


class Unreachable(Exception):
    """Kafka did not answer in time, or refused an answer; the message says which."""


class TopicLog:
    """The records of all topics of one cluster, held in memory.

    Raises ValueError when a setting in `env` is wrong, OSError when a file that it names cannot be read.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self._cluster = Cluster.of_environment(env, "auditor")
        self._codec = Codec(registry_of_environment(env))
        self._lister = OffsetLister(self._cluster, ANSWER_S)
        self._next: dict[Partition, int] = {}
        self._entries: list[LogRecord] = []

    def read(self) -> tuple[LogRecord, ...]:
        """Return all records up to the current ends of the topics; fetch only those appended since the last call.

        Raises Unreachable when Kafka does not answer within ANSWER_S, or sends nothing for SILENCE_S, and RegistryError
        when a remote schema registry fails.
        """
        try:
            known = self._lister.existing(topics.ALL)
            ends, begins = self._lister.end(known), self._lister.first(known)
            starts = {
                partition: start
                for partition, end in ends.items()
                if end > (start := max(self._next.get(partition, 0), begins.get(partition, 0)))
            }
            self._entries += map(
                self._entry, topic_reader.read_from(self._cluster, starts, SILENCE_S) if starts else ()
            )
        except KafkaException as failure:
            raise Unreachable(f"Kafka does not answer: {failure.args[0].str()}") from failure
        except KafkaUnavailable as failure:
            raise Unreachable(str(failure)) from failure
        return tuple(self._entries)

    def committed(self, service: str) -> dict[Partition, int]:
        """Return the next offset to read that the consumer group of a service has committed, by partition.

        Partitions without a committed offset are left out. Raises Unreachable when Kafka does not answer within
        ANSWER_S.
        """
        try:
            return self._lister.committed(service)
        except KafkaException as failure:
            raise Unreachable(
                f"Kafka does not return the offsets of the group of {service}: {failure.args[0].str()}"
            ) from failure

    def _entry(self, message: Message) -> LogRecord:
        record = delivery.read(self._codec, message)
        self._next[record.topic, record.partition] = record.offset + 1
        return LogRecord(record, message.timestamp()[1])
