"""Writes people's actions to console-actions.v1, and waits until Kafka has acknowledged each."""

from threading import Event

from confluent_kafka import KafkaError, KafkaException

from runtime.logging import log
from stream.avro.codec import Codec
from stream.events import ConsoleAction, topics
from stream.kafka.cluster import Cluster
from stream.kafka.producer import PRODUCER

TIMEOUT_S = 8.0
PROBE_TIMEOUT_S = 2.5


class NotRecorded(Exception):
    """Kafka has not acknowledged the record of an action, so the action must not be carried out."""


class ActionLog:
    """A Kafka producer for the records of actions, which several threads may use."""

    def __init__(self, cluster: Cluster, codec: Codec) -> None:
        self._producer = cluster.producer({**PRODUCER, "linger.ms": 0, "message.timeout.ms": int(TIMEOUT_S * 1000)})
        self._codec = codec

    def kafka_problem(self) -> str | None:
        """Return why Kafka does not answer the console, or that no broker is there; None if one answers."""
        try:
            brokers = self._producer.list_topics(timeout=PROBE_TIMEOUT_S).brokers
        except KafkaException as failure:
            return f"Kafka does not answer: {failure.args[0].str()}"
        return None if brokers else "Kafka has no broker"

    def append(self, action: ConsoleAction) -> None:
        """Return when all in-sync replicas have the record.

        Raises NotRecorded if they do not acknowledge it within TIMEOUT_S seconds, or it cannot be sent.
        """
        acknowledged, errors = Event(), list[KafkaError]()

        def report(error: KafkaError | None, _: object) -> None:
            if error is not None:
                errors.append(error)
            acknowledged.set()

        topic = topics.CONSOLE_ACTIONS
        try:
            value = self._codec.encode(action)
            self._producer.produce(topic.name, value, topic.key(action).encode(), on_delivery=report)
            self._producer.flush(TIMEOUT_S + 1)
        except (KafkaException, BufferError, OSError) as failure:
            raise NotRecorded(str(failure)) from failure
        if not acknowledged.is_set() or errors:
            log.error("action.unrecorded", id=action.action_id, type=action.action, topic=topic.name)
            raise NotRecorded(errors[0].str() if errors else "Kafka does not answer")
