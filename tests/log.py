"""Kafka, looked into: what stands on a topic since a moment, and what is put there by hand."""

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
    """Collects the records of one topic from a moment on."""

    consumer: Consumer
    records: list[Any] = field(default_factory=list)

    def read(self) -> list[Any]:
        """All records so far."""
        while (message := self.consumer.poll(POLL_S)) is not None:
            assert message.error() is None, message.error()
            self.records.append(CODEC.decode(message.value()))
        return self.records

    def wait_for(self, wanted: Any) -> Any:
        """The first record of which `wanted` is true."""
        return next(filter(wanted, until(self.read, lambda records: any(map(wanted, records)))))

    def wait_until(self, enough: Callable[[list[Any]], bool]) -> None:
        """Until all that is there is enough."""
        until(self.read, enough)


@contextmanager
def reading(system: dict[str, str], topic: Topic) -> Iterator[Reader]:
    """What is appended to `topic` from now on."""
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
    """Appends record after record: one producer, which takes half a second to begin."""

    producer: Producer

    def append(self, topic: Topic, key: str, value: Record) -> None:
        """Put a record on a topic, and wait until it is there."""
        self.producer.produce(topic.name, CODEC.encode(value), key.encode())
        assert self.producer.flush(10) == 0


def writer(system: dict[str, str]) -> Writer:
    """Who appends to the system's Kafka."""
    return Writer(Producer({**PRODUCER, "bootstrap.servers": system["KAFKA_BOOTSTRAP_SERVERS"], "linger.ms": 0}))


def append(system: dict[str, str], topic: Topic, key: str, value: Record | bytes, partition: int = -1) -> None:
    """Put a record, or mere bytes, on a topic, and wait until it is there."""
    producer = Producer({**PRODUCER, "bootstrap.servers": system["KAFKA_BOOTSTRAP_SERVERS"]})
    payload = value if isinstance(value, bytes) else CODEC.encode(value)
    producer.produce(topic.name, payload, key.encode(), partition)
    assert producer.flush(10) == 0


def append_at_once(system: dict[str, str], topic: Topic, partition: int, records: Sequence[Record]) -> None:
    """Put records on one partition in such a way that whoever reads one of them reads them all."""
    producer = Producer({**PRODUCER, "bootstrap.servers": system["KAFKA_BOOTSTRAP_SERVERS"], "linger.ms": 100})
    for record in records:
        producer.produce(topic.name, CODEC.encode(record), topic.key(record).encode(), partition)
    assert producer.flush(10) == 0
