"""Reads the records that are appended to topics from now on, and appends records."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from stream.avro.codec import Codec
from stream.avro.registry import CommittedRegistry
from stream.events import Record
from stream.events.topics import PARTITIONS, Topic
from stream.kafka.producer import PRODUCER
from tests.actors import until

CODEC = Codec(CommittedRegistry())
POLL_S = 0.2


@dataclass
class Reader:
    """Collects the records of one topic that were appended since the reader was made by `reading`."""

    consumer: Consumer
    records: list[Any] = field(default_factory=list)

    def read(self) -> list[Any]:
        """Return all records so far. Raises AssertionError for an error of Kafka."""
        while (message := self.consumer.poll(POLL_S)) is not None:
            assert message.error() is None, message.error()
            self.records.append(CODEC.decode(message.value()))
        return self.records

    def wait_for(self, wanted: Any) -> Any:
        """Return the first record of which `wanted` is true, once there is one. Raises as `until`."""
        return next(filter(wanted, until(self.read, lambda records: any(map(wanted, records)))))

    def wait_until(self, enough: Callable[[list[Any]], bool]) -> None:
        """Wait until `enough` is true of the list of all records so far. Raises as `until`."""
        until(self.read, enough)


@contextmanager
def reading(system: dict[str, str], topic: Topic) -> Iterator[Reader]:
    """Yield a reader of the records that are appended to `topic` from now on."""
    consumer = Consumer({"bootstrap.servers": system["KAFKA_BOOTSTRAP_SERVERS"], "group.id": "tests", "log_level": 3})
    ends = [
        TopicPartition(topic.name, n, consumer.get_watermark_offsets(TopicPartition(topic.name, n))[1])
        for n in range(PARTITIONS)
    ]
    consumer.assign(ends)
    try:
        yield Reader(consumer)
    finally:
        consumer.close()


@dataclass(frozen=True)
class Writer:
    """Appends many records with one producer, as starting a producer takes half a second."""

    producer: Producer

    def append(self, topic: Topic, key: str, value: Record) -> None:
        """Append a record to a topic, and wait until Kafka has it."""
        self.producer.produce(topic.name, CODEC.encode(value), key.encode())
        assert self.producer.flush(10) == 0


def writer(system: dict[str, str]) -> Writer:
    """Return a writer for the system's Kafka."""
    return Writer(Producer({**PRODUCER, "bootstrap.servers": system["KAFKA_BOOTSTRAP_SERVERS"], "linger.ms": 0}))


def append(system: dict[str, str], topic: Topic, key: str, value: Record | bytes, partition: int = -1) -> None:
    """Append a record, or bytes as they are, to a topic with a producer of its own, and wait until Kafka has it.

    `partition` -1 stands for the partition of the key.
    """
    producer = Producer({**PRODUCER, "bootstrap.servers": system["KAFKA_BOOTSTRAP_SERVERS"]})
    payload = value if isinstance(value, bytes) else CODEC.encode(value)
    producer.produce(topic.name, payload, key.encode(), partition)
    assert producer.flush(10) == 0


def append_at_once(system: dict[str, str], topic: Topic, partition: int, records: Sequence[Record]) -> None:
    """Append records to one partition as one batch of Kafka, so that a consumer that reads one reads them all."""
    producer = Producer({**PRODUCER, "bootstrap.servers": system["KAFKA_BOOTSTRAP_SERVERS"], "linger.ms": 100})
    for record in records:
        producer.produce(topic.name, CODEC.encode(record), topic.key(record).encode(), partition)
    assert producer.flush(10) == 0
