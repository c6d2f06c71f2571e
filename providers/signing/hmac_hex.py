"""The scheme of several providers: a header holds the hex HMAC-SHA256 of the body by a secret both know (RFC 2104)."""

import hmac
from collections.abc import Sequence


def signature(payload: bytes, secret: bytes) -> str:
    """What a sender of these bytes puts into the header."""
    return hmac.digest(secret, payload, "sha256").hex()


def is_valid_signature(payload: bytes, given: bytes, secrets: Sequence[bytes]) -> bool:
    """Whether `given` is the signature of these bytes by any of the secrets."""
    # Every secret is tried, so that the time taken does not tell which one matched.
    matches = [hmac.compare_digest(signature(payload, secret).encode(), given) for secret in secrets]
    return any(matches)
