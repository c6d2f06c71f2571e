"""The header `Idempotency-Key`: a sender's own id for an event. It is unsigned, so it never becomes the event id."""

import msgspec

from providers.contract import InvalidField, Received, Translation

HEADER = "idempotency-key"
MAX_LENGTH = 255


def with_provider_event_id(translation: Translation, received: Received) -> Translation:
    """Return the translation with the Idempotency-Key as unsigned provider event id; unchanged without the header.

    Raises InvalidField for a key that is empty, longer than MAX_LENGTH characters or not printable.
    """
    key = received.headers.get(HEADER)
    if key is None:
        return translation
    if not (0 < len(key) <= MAX_LENGTH and key.isprintable()):
        raise InvalidField(f"Idempotency-Key must be 1 to {MAX_LENGTH} printable characters")
    return msgspec.structs.replace(translation, provider_event_id=key, is_id_signed=False)
