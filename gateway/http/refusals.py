"""The causes with which the gateway answers a refused request, each with its status: a closed list.

The causes that a provider's module gives begin in providers/contract.py (`Cause`); each of them is in STATUS too.
docs/answers.md says when each applies. gateway/intake/refusal_answers.py answers, refusal_records.py records.
"""

import msgspec

from providers.responses import WebhookResponse

STATUS = {
    "malformed_request": 400,
    "malformed_body": 400,
    "invalid_field": 400,
    "wrong_event": 400,
    "unsupported_type": 400,
    "invalid_signature": 401,
    "stale_timestamp": 401,
    "source_not_allowed": 403,
    "unknown_path": 404,
    "provider_not_configured": 404,
    "method_not_allowed": 405,
    "body_timeout": 408,
    "length_required": 411,
    "body_too_large": 413,
    "uri_too_long": 414,
    "unsupported_media_type": 415,
    "expectation_failed": 417,
    "rate_limited": 429,
    "headers_too_large": 431,
    "internal_error": 500,
    "unavailable": 503,
}

CLOSING = frozenset({"malformed_request", "body_timeout", "body_too_large", "uri_too_long", "headers_too_large"})
"""Causes after which the connection is closed: the next bytes on it may not be the start of a request."""


class Refusal(Exception):
    """Refuses a request: `cause` is a key of STATUS, `message` a sentence for the sender.

    `headers` are added to the answer, with `-` for `_`: `retry_after="5"` becomes `retry-after: 5`. A cause of CLOSING
    adds `connection: close`.
    """

    retired_secret: str | None = None
    """The fingerprint of the retired secret that made the signature. Recorded, and never part of the answer."""

    def __init__(self, cause: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.cause = cause
        self.message = message
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if cause in CLOSING:
            self.headers["connection"] = "close"

    def answer(self) -> WebhookResponse:
        """Return the answer in the gateway's own format, without `headers`; a provider may have a format of its own."""
        return WebhookResponse(STATUS[self.cause], msgspec.json.encode({"error": self.cause, "message": self.message}))
