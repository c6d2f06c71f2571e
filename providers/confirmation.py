"""Makes the record of what a provider's API has confirmed: the event that a receipt only hinted at."""

from providers.addressing import Addressed, addressed
from providers.contract import Translation
from providers.records import event_id_of
from stream.events import Envelope, UnconfirmedWebhook, ids


def confirmed(asked: UnconfirmedWebhook, told: Translation, answer: bytes) -> Addressed:
    """The event that a provider's `answer` tells: named by what it says, so an early forgery shadows nothing."""
    receipt, digest = asked.envelope, ids.digest(told.notice)
    mode = told.mode or receipt.mode
    envelope = Envelope(
        event_id=event_id_of(receipt.provider, mode, told, digest),
        digest=digest,
        provider=receipt.provider,
        mode=mode,
        provider_event_id=told.provider_event_id,
        event_type=told.event_type,
        verification="confirmed",
        occurred_at=told.occurred_at,
        received_at=receipt.received_at,
        path=receipt.path,
        headers={},
        raw=answer,
        receipt_id=receipt.event_id,
    )
    return addressed(envelope, told.notice)
