"""Authentication by a secret in the URL, for providers that support nothing better."""

from collections.abc import Sequence

from providers.contract import Forged, Received
from providers.responses import json_response
from providers.signing.comparison import any_equal
from stream.events import Verification

NOT_FOUND = {"invalid_signature": json_response(404, {"error": "unknown_path", "message": "nothing is served here"})}
"""A value of `Provider.refusals`: without the token, a path answers 404, as if it did not exist."""


def verify(received: Received, secrets: Sequence[bytes]) -> Verification:
    """Return `shared_secret` if the URL's token is one of the secrets; else raise Forged."""
    given = (received.token or "").encode(errors="backslashreplace")
    if not any_equal(secrets, [given]):
        raise Forged("the token in the URL is missing or wrong")
    return "shared_secret"
