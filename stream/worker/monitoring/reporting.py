"""Reports a committed batch: one log line per event, and the counters."""

from runtime.logging import log
from stream.events import Webhook
from stream.events.topics import OUTCOMES
from stream.worker.batch import Applied
from stream.worker.monitoring import metrics


def _subject(event: object) -> dict[str, str]:
    """Return the provider and order of an event as log fields; a missing one is left out."""
    provider = event.envelope.provider if isinstance(event, Webhook) else None
    order = getattr(getattr(event, "payload", event), "order_id", None)
    return {name: value for name, value in (("provider", provider), ("order_id", order)) if value}


def report(applied: Applied) -> None:
    """Log and count each event by its outcome, and count the domain events that follow."""
    for outcome in applied.outcomes:
        metrics.EVENTS.labels(outcome.outcome).inc()
        write_log = log.error if outcome.outcome == "dead" else log.info
        name = "retried" if outcome.attempt > 1 and outcome.outcome == "processed" else outcome.outcome
        subject = _subject(outcome.delivery.event)
        write_log(
            f"webhook.{name}",
            id=outcome.delivery.event_id,
            topic=outcome.delivery.topic,
            attempt=outcome.attempt,
            **subject,
        )
    for message in applied.messages:
        if message.topic != OUTCOMES.name:
            metrics.DOMAIN_EVENTS.labels(message.topic).inc()
