"""A header holds the hex HMAC-SHA256 (RFC 2104) of the body, keyed with a shared secret."""

import hmac
from collections.abc import Sequence


def signature(payload: bytes, secret: bytes) -> str:
    """Return the header's value for a body."""
    return hmac.digest(secret, payload, "sha256").hex()


def is_valid_signature(payload: bytes, given: bytes, secrets: Sequence[bytes]) -> bool:
    """Return whether `given` is the signature of the body with any of the secrets."""
    # Every secret is tried, so that the time taken does not tell which one matched.
    matches = [hmac.compare_digest(signature(payload, secret).encode(), given) for secret in secrets]
    return any(matches)
