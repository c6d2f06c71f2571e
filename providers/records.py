"""Makes the record of a verified webhook: its id, its envelope, the topic and the key it is appended by."""

import msgspec

from providers.addressing import Addressed, addressed
from providers.contract import Provider, Received, Translation
from stream.events import Envelope, Mode, Question, UnconfirmedWebhook, Verification, ids


def webhook(
    provider: Provider, received: Received, verification: Verification, told: Translation, mode: Mode
) -> Addressed:
    """The record of a webhook `provider` sent; `mode` is that of the system, for a body that names none."""
    digest = ids.digest(told.notice)
    actual_mode = told.mode or mode
    if isinstance(told.notice, Question):
        event_id = ids.receipt_id(provider.name, received.body, received.received_at)
    else:
        event_id = event_id_of(provider.name, actual_mode, told, digest)
    envelope = Envelope(
        event_id=event_id,
        digest=digest,
        provider=provider.name,
        mode=actual_mode,
        provider_event_id=told.provider_event_id,
        event_type=told.event_type,
        verification=verification,
        occurred_at=told.occurred_at,
        received_at=received.received_at,
        path=received.path,
        headers=provider.keep(received.headers),
        raw=received.body,
    )
    found = addressed(envelope, told.notice)
    if isinstance(found.webhook, UnconfirmedWebhook):
        return found._replace(webhook=msgspec.structs.replace(found.webhook, source=received.source))
    return found


def event_id_of(provider: str, mode: Mode, told: Translation, digest: bytes) -> str:
    """The id of an event: by the provider's own id of it where that is signed, else by what it says."""
    signed_id = told.provider_event_id if told.is_id_signed else None
    return ids.event_id(provider, mode, signed_id or f"{told.event_type}\n{digest.hex()}")
