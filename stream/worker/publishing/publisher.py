"""Publishes a worker's messages to Kafka and waits until all in-sync replicas have acknowledged them."""

from collections.abc import Callable, Collection, Sequence
from functools import partial

from confluent_kafka import KafkaError, KafkaException

from runtime import faults
from runtime.logging import log
from stream.kafka import admin
from stream.kafka.cluster import Cluster
from stream.kafka.producer import PRODUCER
from stream.kafka.watchdog import Watchdog
from stream.store.outbox import OutboxMessage
from stream.worker.monitoring import metrics

POLL_S = 0.2
WITHOUT_TIMEOUT = {"message.timeout.ms": 0, "linger.ms": 2}
"""Producer properties. A message that timed out and was sent again would arrive after messages produced later."""


class Publisher:
    """One Kafka producer. `while_waiting` is called about every POLL_S while Kafka acknowledges nothing."""

    def __init__(self, cluster: Cluster, while_waiting: Callable[[], None]) -> None:
        self._producer = cluster.producer({**PRODUCER, **WITHOUT_TIMEOUT})
        self._while_waiting = while_waiting
        self._watchdog = Watchdog("producer", partial(admin.are_healthy, cluster))
        self.problem = self._watchdog.problem

    def publish(self, messages: Sequence[OutboxMessage]) -> None:
        """Publish the messages in order; return when Kafka has acknowledged all of them.

        Rejected messages are sent again without a limit, because they are committed and must be published. Raises
        SystemExit after a fatal producer error, or when the producer is stuck.
        """
        if messages:
            with metrics.publishing(len(messages)):
                self._publish(messages)

    @faults.on_call("publisher.before")
    @faults.halfway("publisher.halfway")
    @faults.on_return("publisher.after")
    def _publish(self, messages: Sequence[OutboxMessage]) -> None:
        unsent = self._try(messages)
        while unsent:
            self._wait({message.topic for message in unsent})
            unsent = self._try(unsent)

    def _try(self, messages: Sequence[OutboxMessage]) -> list[OutboxMessage]:
        """Produce all messages, wait for the reports, and return the rejected messages."""
        failed: list[OutboxMessage] = []
        unreported = len(messages)

        def report(message: OutboxMessage, error: KafkaError | None) -> None:
            nonlocal unreported
            unreported -= 1
            if error is None:
                self._watchdog.reset()
            else:
                log.warning("publish.failed", topic=message.topic, error=error.str())
                failed.append(message)

        for message in messages:
            self._produce(message, report)
        topics = {message.topic for message in messages}
        while unreported:
            self._wait(topics)
        return failed

    def _wait(self, topics: Collection[str]) -> None:
        """Wait up to POLL_S for delivery reports; without one, check the watchdog and call `while_waiting`."""
        if not self._producer.poll(POLL_S):
            self._watchdog.check(topics)
            self._while_waiting()

    def _produce(self, message: OutboxMessage, report: Callable[[OutboxMessage, KafkaError | None], None]) -> None:
        while True:
            try:
                self._producer.produce(
                    message.topic,
                    message.value,
                    message.key,
                    on_delivery=lambda error, _: report(message, error),
                )
            except BufferError:  # the local queue is full until Kafka acknowledges some messages
                self._wait({message.topic})
            except KafkaException as fatal:
                raise SystemExit(f"Kafka's producer has failed for good: {fatal}") from fatal
            else:
                return
