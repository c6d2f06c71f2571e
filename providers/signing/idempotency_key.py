"""The header by which a sender may name an event itself. Nothing signs it: the event is found by it, not made by it."""

from dataclasses import replace

from providers.contract import InvalidField, Received, Translation

HEADER = "idempotency-key"
MAX_LENGTH = 255


def with_event_id(translation: Translation, received: Received) -> Translation:
    """The translation under the sender's own name for the event, where it gives one.

    Raises Unreadable when it is no name.
    """
    key = received.headers.get(HEADER)
    if key is None:
        return translation
    if not (0 < len(key) <= MAX_LENGTH and key.isprintable()):
        raise InvalidField(f"Idempotency-Key must be 1 to {MAX_LENGTH} printable characters")
    return replace(translation, provider_event_id=key, is_id_signed=False)
