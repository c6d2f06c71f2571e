"""The header by which a sender may name an event itself: a corrected body is then a conflict, and no new event."""

from providers.contract import Received, Unreadable

HEADER = "idempotency-key"
MAX_LENGTH = 255


def given(received: Received) -> str | None:
    """The sender's own name for the event, where it gives one.

    Raises Unreadable when it is no name.
    """
    key = received.headers.get(HEADER)
    if key is not None and not (0 < len(key) <= MAX_LENGTH and key.isprintable()):
        raise Unreadable(f"Idempotency-Key must be 1 to {MAX_LENGTH} printable characters")
    return key
