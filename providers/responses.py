"""HTTP responses to webhooks, in the formats that providers expect."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class WebhookResponse:
    """An HTTP response in the provider's own format."""

    status: int
    body: bytes
    content_type: bytes = b"application/json"


def json_response(status: int, body: object) -> WebhookResponse:
    """Return a response with `body` encoded as JSON."""
    return WebhookResponse(status, msgspec.json.encode(body))


def always(response: WebhookResponse) -> Callable[[str, str], WebhookResponse]:
    """Return the `success_response` of a provider whose response is the same for every event."""
    return lambda _event_id, _event_type: response


SUCCESS = WebhookResponse(200, b'{"status":"success"}')
