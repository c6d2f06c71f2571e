"""Builds the record of an event that a provider's API confirmed after an unconfirmed webhook."""

from providers.addressing import KeyedWebhook, keyed_webhook
from providers.contract import Translation
from providers.records import event_id_of
from stream.events import Envelope, Micros, UnconfirmedWebhook, ids


def confirmed_event(unconfirmed: UnconfirmedWebhook, translation: Translation, response: bytes) -> KeyedWebhook:
    """Return the event that an API response confirms; `translation` is that of `response`, its body.

    The event id is made of the translation, not of the webhook: an earlier forged webhook cannot take the id.
    """
    received, digest = unconfirmed.envelope, ids.digest(translation.payload)
    mode = translation.mode or received.mode
    envelope = Envelope(
        event_id=event_id_of(received.provider, mode, translation, digest),
        digest=digest,
        provider=received.provider,
        mode=mode,
        provider_event_id=translation.provider_event_id,
        event_type=translation.event_type,
        verification="confirmed",
        occurred_at=None if translation.occurred_at is None else Micros(translation.occurred_at),
        received_at=received.received_at,
        path=received.path,
        headers={},
        raw=response,
        verification_request_id=received.event_id,
    )
    return keyed_webhook(envelope, translation.payload)
