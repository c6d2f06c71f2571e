"""Builds the record of an authenticated webhook: its event id, envelope, topic and key."""

import msgspec

from providers.addressing import KeyedWebhook, keyed_webhook
from providers.contract import Provider, Received, Translation
from stream.events import Envelope, EventId, Micros, Mode, UnconfirmedWebhook, Verification, VerificationRequest, ids


def webhook_record(
    provider: Provider, received: Received, verification: Verification, translation: Translation, mode: Mode
) -> KeyedWebhook:
    """Return the record of a webhook from `provider`. `mode` is the system's own, for a body that names none.

    The event id of an unconfirmed webhook is made of its body and the time of receipt, so each delivery is verified.
    """
    digest = ids.digest(translation.payload)
    actual_mode = translation.mode or mode
    if isinstance(translation.payload, VerificationRequest):
        event_id = EventId(ids.verification_request_id(provider.name, received.body, received.received_at))
    else:
        event_id = event_id_of(provider.name, actual_mode, translation, digest)
    envelope = Envelope(
        event_id=event_id,
        digest=digest,
        provider=provider.name,
        mode=actual_mode,
        provider_event_id=translation.provider_event_id,
        event_type=translation.event_type,
        verification=verification,
        occurred_at=None if translation.occurred_at is None else Micros(translation.occurred_at),
        received_at=Micros(received.received_at),
        path=received.path,
        headers=provider.select_headers(received.headers),
        raw=received.body,
    )
    record = keyed_webhook(envelope, translation.payload)
    if isinstance(record.webhook, UnconfirmedWebhook):
        return record._replace(webhook=msgspec.structs.replace(record.webhook, source=received.source))
    return record


def event_id_of(provider: str, mode: Mode, translation: Translation, digest: bytes) -> EventId:
    """Return the event id, made of provider, mode, and the provider's own id if that is signed, else type and digest.

    `digest` is that of the payload.
    """
    signed_id = translation.provider_event_id if translation.is_id_signed else None
    return ids.event_id(provider, mode, signed_id or f"{translation.event_type}\n{digest.hex()}")
