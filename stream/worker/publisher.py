"""Appends a worker's messages to Kafka and waits until every in-sync replica has them."""

from collections.abc import Callable, Collection, Sequence
from functools import partial

from confluent_kafka import KafkaError, KafkaException

from runtime import faults
from runtime.logging import log
from stream.kafka import admin
from stream.kafka.client_config import Cluster
from stream.kafka.producer import PRODUCER
from stream.kafka.watchdog import Watchdog
from stream.store.outbox import Message
from stream.worker import metrics

POLL_S = 0.2
UNTIL_DONE = {"message.timeout.ms": 0, "linger.ms": 2}
"""Without a limit, or one given up for its time would come behind those that were produced after it."""


class Publisher:
    """One producer. `while_waiting` is called again and again while Kafka keeps us waiting."""

    def __init__(self, cluster: Cluster, while_waiting: Callable[[], None]) -> None:
        self._producer = cluster.producer({**PRODUCER, **UNTIL_DONE})
        self._while_waiting = while_waiting
        self._silence = Watchdog("producer", partial(admin.are_healthy, cluster))
        self.problem = self._silence.problem

    def publish(self, messages: Sequence[Message]) -> None:
        """Return when all are acknowledged; what fails is tried again, because it is already decided."""
        if messages:
            with metrics.publishing(len(messages)):
                self._publish(messages)

    @faults.before("publisher.before")
    @faults.halfway("publisher.halfway")
    @faults.after("publisher.after")
    def _publish(self, messages: Sequence[Message]) -> None:
        unsent = self._try(messages)
        while unsent:
            self._wait({message.topic for message in unsent})
            unsent = self._try(unsent)

    def _try(self, messages: Sequence[Message]) -> list[Message]:
        failed: list[Message] = []
        waiting = len(messages)

        def report(message: Message, error: KafkaError | None) -> None:
            nonlocal waiting
            waiting -= 1
            if error is None:
                self._silence.reset()
            else:
                log.warning("publish.failed", topic=message.topic, error=error.str())
                failed.append(message)

        for message in messages:
            self._produce(message, report)
        topics = {message.topic for message in messages}
        while waiting:
            self._wait(topics)
        return failed

    def _wait(self, topics: Collection[str]) -> None:
        """A moment, unless something is reported."""
        if not self._producer.poll(POLL_S):
            self._silence.check(topics)
            self._while_waiting()

    def _produce(self, message: Message, report: Callable[[Message, KafkaError | None], None]) -> None:
        while True:
            try:
                return self._producer.produce(
                    message.topic,
                    message.value,
                    message.key,
                    on_delivery=lambda error, _: report(message, error),
                )
            except BufferError:  # the local queue is full until some are acknowledged
                self._wait({message.topic})
            except KafkaException as fatal:
                raise SystemExit(f"Kafka's producer has failed for good: {fatal}") from fatal
