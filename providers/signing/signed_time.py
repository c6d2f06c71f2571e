"""The time that a sender signs with a body, so that an old webhook cannot be sent again by somebody else."""

import hmac

from stream.events import Micros


def timed_signature(payload: bytes, secret: bytes, time: str) -> bytes:
    """Return the hex HMAC-SHA256 of `{time}.{payload}`, keyed with the secret's text, including any prefix."""
    return hmac.digest(secret, time.encode() + b"." + payload, "sha256").hex().encode()


def is_timely(received_at: Micros, signed_at: str, tolerance_s: int) -> bool:
    """Return whether a signed time, in seconds since 1970 UTC, is at most `tolerance_s` before or after the receipt."""
    return abs(received_at - int(signed_at) * 1_000_000) <= tolerance_s * 1_000_000
