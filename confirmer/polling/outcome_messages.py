"""What is told of a verdict: the confirmed event, the rejection, and what became of the receipt."""

from hashlib import sha256

from confirmer.polling.request_batching import Open
from confirmer.store import Claimed
from confirmer.verdict import Confirmed, Context, Rejected, Response, RetryLater, Unknown, Verdict, judge, unread
from providers.contract import ApiVerification
from runtime import clock
from stream.avro.codec import Codec
from stream.events import Outcome, OutcomeKind, Record, RejectedWebhook, UnconfirmedWebhook, topics
from stream.events.topics import Topic
from stream.store.outbox import Message
from stream.worker.messages import encode_record

EXCERPT_BYTES = 2048


class OutcomeMessages:
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
            case RetryLater():
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
        source, name = (topics.UNCONFIRMED.name, claimed.partition), key.encode()
        return Message(*source, topic.name, name, encode_record(self._codec, record, name))


def conclude(
    inquiry: ApiVerification, question: Open, response: Response, here: Context, telling: OutcomeMessages
) -> tuple[Verdict, list[Message]]:
    """What becomes of a question now, and what is told of it.

    An answer of which nothing can be told is one that nobody can read: it must not hold up the other questions.
    """
    verdict = judge(inquiry, question[1], response, here)
    try:
        return verdict, telling.of(*question, verdict)
    except Exception as broken:  # noqa: BLE001 - whatever a record refuses, from OverflowError to its size
        instead = unread(f"{type(broken).__name__} on telling of the answer", here)
        return instead, telling.of(*question, instead)


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
