"""HTTP responses to webhooks, in the formats that providers expect."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class WebhookResponse:
    """An HTTP response to a webhook."""

    status: int
    body: bytes
    content_type: bytes = b"application/json"


def json_response(status: int, body: object) -> WebhookResponse:
    """Return a response with `body` encoded as JSON."""
    return WebhookResponse(status, msgspec.json.encode(body))


def always(response: WebhookResponse) -> Callable[[str, str], WebhookResponse]:
    """Return a `Provider.success_response` that returns `response` for every event."""
    return lambda _event_id, _event_type: response


SUCCESS = WebhookResponse(200, b'{"status":"success"}')
