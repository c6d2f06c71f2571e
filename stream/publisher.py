"""Appends a worker's messages to Kafka and waits until every in-sync replica has them."""

from collections.abc import Callable, Sequence

from confluent_kafka import KafkaError, KafkaException, Producer

from runtime import faults
from runtime.logging import log
from stream.outbox import Message
from stream.producer import PRODUCER

POLL_S = 0.2
UNTIL_DONE = {"message.timeout.ms": 0, "linger.ms": 2}
"""Without a limit, or one given up for its time would come behind those that were produced after it."""


class Publisher:
    """One producer. `while_waiting` is called again and again while Kafka keeps us waiting."""

    def __init__(self, bootstrap_servers: str, while_waiting: Callable[[], None]) -> None:
        self._producer = Producer({**PRODUCER, **UNTIL_DONE, "bootstrap.servers": bootstrap_servers})
        self._while_waiting = while_waiting

    def publish(self, messages: Sequence[Message]) -> None:
        """Return when all are acknowledged; what fails is tried again, because it is already decided."""
        if messages:
            self._publish(messages)

    @faults.before("publisher.before")
    @faults.halfway("publisher.halfway")
    @faults.after("publisher.after")
    def _publish(self, messages: Sequence[Message]) -> None:
        unsent = list(messages)
        while unsent:
            unsent = self._try(unsent)

    def _try(self, messages: list[Message]) -> list[Message]:
        failed: list[Message] = []
        waiting = len(messages)

        def report(message: Message, error: KafkaError | None) -> None:
            nonlocal waiting
            waiting -= 1
            if error is not None:
                log.warning("publish.failed", topic=message.topic, error=error.str())
                failed.append(message)

        for message in messages:
            self._produce(message, report)
        while waiting:
            if not self._producer.poll(POLL_S):
                self._while_waiting()
        return failed

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
                if not self._producer.poll(POLL_S):
                    self._while_waiting()
            except KafkaException as fatal:
                raise SystemExit(f"Kafka's producer has failed for good: {fatal}") from fatal
