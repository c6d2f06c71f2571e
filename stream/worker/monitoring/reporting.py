"""Reports a committed batch by one log line per event and by counters, and a failed batch by one line."""

from collections import Counter

from confluent_kafka import KafkaException

from runtime.logging import log
from stream.avro.registry_client import RegistryError
from stream.events import Webhook
from stream.events.topics import OUTCOMES
from stream.store import error_classification
from stream.worker.batch import Applied
from stream.worker.monitoring import metrics


def _subject(event: object) -> dict[str, str]:
    """Return the provider and order id of an event as log fields, without those that the event lacks."""
    provider = event.envelope.provider if isinstance(event, Webhook) else None
    order = getattr(getattr(event, "payload", event), "order_id", None)
    return {name: value for name, value in (("provider", provider), ("order_id", order)) if value}


def report(applied: Applied) -> None:
    """Log and count each event by its outcome, and count the messages that follow, except outcomes, by topic."""
    for kind, count in Counter(outcome.kind for outcome in applied.outcomes).items():
        metrics.EVENTS.labels(kind).inc(count)
    for topic, count in Counter(message.topic for message in applied.messages).items():
        if topic != OUTCOMES.name:
            metrics.DOMAIN_EVENTS.labels(topic).inc(count)
    for outcome in applied.outcomes:
        write_log = log.error if outcome.kind == "dead" else log.info
        name = "retried" if outcome.attempt > 1 and outcome.kind == "processed" else outcome.kind
        subject = _subject(outcome.delivery.event)
        write_log(
            f"webhook.{name}",
            id=outcome.delivery.event_id,
            topic=outcome.delivery.topic,
            attempt=outcome.attempt,
            **subject,
        )


def report_failure(failure: Exception, wait_s: float) -> str:
    """Log a failure of Kafka, the schema registry or the store; return a sentence about it for the health endpoint.

    `wait_s` is the number of seconds until the batch is tried again.
    """
    match failure:
        case KafkaException():  # reading the committed offsets failed, or seeking to them
            error = failure.args[0].str()
            log.info("offsets.unsettled", error=error, seconds=wait_s)
            return f"Kafka does not return the group's offsets: {error}"
        case RegistryError():
            log.warning("registry.failed", error=str(failure), seconds=wait_s)
            return str(failure)
        case _:
            metrics.STORE_FAILURES.inc()
            error = error_classification.name(failure)
            log.warning("store.failed", error=error, seconds=wait_s)
            return f"the store fails: {error}"
