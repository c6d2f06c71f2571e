"""Builds the messages of a verdict: the confirmed webhook or the refusal, and the webhook's outcome."""

from hashlib import sha256

from confirmer.api_response import Response
from confirmer.claims import ClaimedVerification
from confirmer.polling.request_batching import OpenVerification
from confirmer.verdict import Confirmed, Context, Refused, RetryLater, Unknown, Verdict, judge, unreadable
from providers.contract import ApiVerification
from runtime import clock
from stream.avro.codec import Codec
from stream.events import EventId, Micros, Outcome, OutcomeKind, Record, RejectedWebhook, UnconfirmedWebhook, topics
from stream.events.topics import Topic
from stream.store.outbox import OutboxMessage
from stream.worker.publishing.messages import encode_record

EXCERPT_BYTES = 2048
"""Bytes of the body in the record of a refusal."""


class OutcomeMessages:
    """Builds and encodes the messages that the confirmer publishes as `service`."""

    def __init__(self, service: str, codec: Codec) -> None:
        self._service = service
        self._codec = codec

    def build(
        self, claimed: ClaimedVerification, unconfirmed: UnconfirmedWebhook, verdict: Verdict
    ) -> list[OutboxMessage]:
        """Return the messages of a verdict; none for RetryLater.

        Raises whatever the encoding of a record raises, such as OverflowError.
        """
        match verdict:
            case Confirmed(event):
                webhook = self._message(claimed, event.topic, event.key, event.webhook)
                return [webhook, self._outcome(claimed, "processed", None)]
            case Refused(cause, error):
                refusal = _refusal(unconfirmed, cause)
                message = self._message(claimed, topics.REFUSALS, refusal.provider, refusal)
                return [message, self._outcome(claimed, "dead", error)]
            case Unknown(error):
                return [self._outcome(claimed, "dead", error)]
            case RetryLater():
                return []

    def _outcome(self, claimed: ClaimedVerification, kind: OutcomeKind, error: str | None) -> OutboxMessage:
        outcome = Outcome(
            event_id=EventId(claimed.request_id),
            service=self._service,
            topic=topics.UNCONFIRMED.name,
            partition=claimed.partition,
            offset=claimed.offset,
            outcome=kind,
            attempt=claimed.attempts,
            error=error,
            at=Micros(clock.now()),
        )
        return self._message(claimed, topics.OUTCOMES, outcome.event_id, outcome)

    def _message(self, claimed: ClaimedVerification, topic: Topic, key: str, record: Record) -> OutboxMessage:
        source, name = (topics.UNCONFIRMED.name, claimed.partition), key.encode()
        return OutboxMessage(*source, topic.name, name, encode_record(self._codec, record, name))


def conclude(
    api_verification: ApiVerification,
    verification: OpenVerification,
    response: Response,
    context: Context,
    messages: OutcomeMessages,
) -> tuple[Verdict, list[OutboxMessage]]:
    """Return the verdict on a verification, and the messages to publish before the verdict is saved.

    A response whose messages cannot be built counts as unreadable, so that it does not hold up other verifications.
    """
    verdict = judge(api_verification, verification[1], response, context)
    try:
        return verdict, messages.build(*verification, verdict)
    except Exception as failure:  # noqa: BLE001 - any value that a record cannot hold, from OverflowError to its size
        instead = unreadable(f"{type(failure).__name__} on building the result", context)
        return instead, messages.build(*verification, instead)


def _refusal(unconfirmed: UnconfirmedWebhook, cause: str) -> RejectedWebhook:
    envelope = unconfirmed.envelope
    return RejectedWebhook(
        provider=envelope.provider,
        path=envelope.path,
        cause=cause,
        headers={},
        digest=sha256(envelope.raw).digest(),
        excerpt=envelope.raw[:EXCERPT_BYTES],
        received_at=envelope.received_at,
    )
