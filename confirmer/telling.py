"""What is told of a verdict: the confirmed event, the rejection, and what became of the receipt."""

from hashlib import sha256

from confirmer.judge import Again, Confirmed, Rejected, Unknown, Verdict
from confirmer.store import Claimed
from runtime import clock
from stream import topics
from stream.codec import Codec
from stream.events import Outcome, OutcomeKind, Record, RejectedWebhook, UnconfirmedWebhook
from stream.outbox import Message
from stream.topics import Topic

EXCERPT_BYTES = 2048


class Telling:
    """Makes the messages."""

    def __init__(self, service: str, codec: Codec) -> None:
        self._service = service
        self._codec = codec

    def of(self, claimed: Claimed, receipt: UnconfirmedWebhook, verdict: Verdict) -> list[Message]:
        """What follows from a verdict; nothing while the question stays open."""
        match verdict:
            case Confirmed(event):
                told = self._message(claimed, event.topic, event.key, event.webhook)
                return [told, self._outcome(claimed, "processed", None)]
            case Rejected(cause, error):
                rejection = _rejection(receipt, cause)
                told = self._message(claimed, topics.REJECTED, rejection.provider, rejection)
                return [told, self._outcome(claimed, "abandoned", error)]
            case Unknown(error):
                return [self._outcome(claimed, "abandoned", error)]
            case Again():
                return []

    def _outcome(self, claimed: Claimed, kind: OutcomeKind, error: str | None) -> Message:
        outcome = Outcome(
            event_id=claimed.receipt_id,
            service=self._service,
            topic=topics.UNCONFIRMED.name,
            partition=claimed.partition,
            offset=claimed.offset,
            outcome=kind,
            attempt=claimed.attempts,
            error=error,
            at=clock.now(),
        )
        return self._message(claimed, topics.OUTCOMES, outcome.event_id, outcome)

    def _message(self, claimed: Claimed, topic: Topic, key: str, record: Record) -> Message:
        source = (topics.UNCONFIRMED.name, claimed.partition)
        return Message(*source, topic.name, key.encode(), self._codec.encode(record))


def _rejection(receipt: UnconfirmedWebhook, cause: str) -> RejectedWebhook:
    envelope = receipt.envelope
    return RejectedWebhook(
        provider=envelope.provider,
        path=envelope.path,
        cause=cause,
        headers={},
        digest=sha256(envelope.raw).digest(),
        excerpt=envelope.raw[:EXCERPT_BYTES],
        received_at=envelope.received_at,
    )
