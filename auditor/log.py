"""Reads every topic from its beginning: what was there when it was asked, and at the next look what has come since."""

import time
from collections.abc import Iterator, Mapping

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, Message, TopicPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined] # exported, but not said so

from auditor.evidence import Entry
from stream.avro.codec import Codec
from stream.avro.registry import registry_of_environment
from stream.events import topics
from stream.kafka import delivery
from stream.kafka.client_config import QUIET, Cluster

Partition = tuple[str, int]
ANSWER_S = 10.0
SILENCE_S = 30.0
AT_ONCE = 5_000


class Unreachable(Exception):
    """Kafka does not answer."""


class Log:
    """The topics of one cluster; what was read is kept."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._cluster = Cluster.of_environment(env, "auditor")
        self._codec = Codec(registry_of_environment(env))
        self._admin = self._cluster.admin()
        # It commits nothing and joins nothing; librdkafka wants a name all the same.
        self._consumer = self._cluster.consumer("auditor", {**QUIET, "enable.auto.commit": False})
        self._next: dict[Partition, int] = {}
        self._entries: list[Entry] = []

    def close(self) -> None:
        """Let go of the cluster."""
        self._consumer.close()

    def read(self) -> tuple[Entry, ...]:
        """Everything up to where the topics end now.

        Raises Unreachable when Kafka is silent.
        """
        try:
            ends, begins = self._offsets(OffsetSpec.latest()), self._offsets(OffsetSpec.earliest())  # type: ignore[no-untyped-call]
            wanted = {
                where: end for where, end in ends.items() if end > max(self._next.get(where, 0), begins.get(where, 0))
            }
            self._entries += self._collect(wanted)
        except KafkaException as away:
            raise Unreachable(f"Kafka does not answer: {away.args[0].str()}") from away
        return tuple(self._entries)

    def committed(self, group: str) -> dict[Partition, int]:
        """The next offsets of a service's consumer group.

        Raises Unreachable when Kafka is silent.
        """
        try:
            (answer,) = self._admin.list_consumer_group_offsets(
                [ConsumerGroupTopicPartitions(self._cluster.group(group))]
            ).values()
            found = answer.result(ANSWER_S).topic_partitions
        except KafkaException as away:
            raise Unreachable(f"Kafka does not tell the offsets of {group}: {away.args[0].str()}") from away
        return {(each.topic, each.partition): each.offset for each in found if each.offset >= 0}

    def _offsets(self, spec: OffsetSpec) -> dict[Partition, int]:
        known = self._cluster.metadata(ANSWER_S).topics
        named = [
            TopicPartition(topic.name, number)
            for topic in topics.ALL
            if topic.name in known
            for number in known[topic.name].partitions
        ]
        asked = self._admin.list_offsets(dict.fromkeys(named, spec)) if named else {}
        return {(each.topic, each.partition): answer.result(ANSWER_S).offset for each, answer in asked.items()}

    def _collect(self, ends: Mapping[Partition, int]) -> Iterator[Entry]:
        left = dict(ends)
        self._consumer.assign([TopicPartition(*where, self._next.get(where, 0)) for where in left])
        heard = time.monotonic()
        while left:
            messages = self._consumer.consume(AT_ONCE, 0.2)
            heard = time.monotonic() if messages else heard
            if time.monotonic() - heard > SILENCE_S:
                raise Unreachable(f"Kafka is silent; {len(left)} partitions were not read to their end")
            for message in messages:
                yield from self._heard(message, left)
        self._consumer.unassign()

    def _heard(self, message: Message, left: dict[Partition, int]) -> Iterator[Entry]:
        """Beyond the end that was asked for, nothing counts yet."""
        if message.error() is not None:
            return
        one = delivery.read(self._codec, message)
        where = (one.topic, one.partition)
        if one.offset >= left.get(where, 0):
            return
        self._next[where] = one.offset + 1
        if one.offset + 1 == left[where]:
            del left[where]
        yield Entry(one, message.timestamp()[1])
