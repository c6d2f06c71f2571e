"""Says what a committed batch came to: a log line an event, and the counters."""

from runtime.logging import log
from stream.events import Webhook
from stream.events.topics import OUTCOMES
from stream.worker import metrics
from stream.worker.batch import Applied


def _subject(event: object) -> dict[str, str]:
    """The provider and order of an event, as far as it names them."""
    provider = event.envelope.provider if isinstance(event, Webhook) else None
    order = getattr(getattr(event, "notice", event), "order_id", None)
    return {name: value for name, value in (("provider", provider), ("order_id", order)) if value}


def report(applied: Applied) -> None:
    """Log and count each event by what became of it, and count the facts that follow."""
    for judged in applied.outcomes:
        metrics.EVENTS.labels(judged.outcome).inc()
        tell = log.error if judged.outcome == "abandoned" else log.info
        name = "retried" if judged.attempt > 1 and judged.outcome == "processed" else judged.outcome
        subject = _subject(judged.delivery.event)
        tell(
            f"webhook.{name}",
            id=judged.delivery.event_id,
            topic=judged.delivery.topic,
            attempt=judged.attempt,
            **subject,
        )
    for message in applied.messages:
        if message.topic != OUTCOMES.name:
            metrics.FACTS.labels(message.topic).inc()
