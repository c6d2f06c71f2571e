"""Proof by a secret in the URL: all that some providers can be given to show who they are."""

import hmac
from collections.abc import Sequence

from providers.contract import Forged, Received, json_response
from stream.events import Verification

NOT_FOUND = {"invalid_signature": json_response(404, {"error": "unknown_path", "message": "nothing is served here"})}
"""Who does not know the token is told what he would be told anywhere else."""


def verify(received: Received, secrets: Sequence[bytes]) -> Verification:
    """Prove a request by the token of its URL, compared with any live secret."""
    given = (received.token or "").encode(errors="backslashreplace")
    # Every secret is tried, so that the time taken does not tell which one matched.
    matches = [hmac.compare_digest(secret, given) for secret in secrets]
    if not any(matches):
        raise Forged("the token of the address is missing or wrong")
    return "shared_secret"


def sign(payload: bytes, secret: bytes, at: int = 0) -> dict[str, str]:  # noqa: ARG001 - nothing is signed
    """No headers: the secret travels in the URL."""
    return {}
