"""`tosspayments`: contract C, signed events of subscriptions. Toss Payments' own webhooks are `toss`."""

from collections.abc import Sequence

from providers.contract import Provider, Received
from providers.responses import WebhookResponse, json_response
from providers.signing.hmac_hex import verify_raw
from providers.tosspayments.translation import EVENT_TYPES, translate
from stream.events import Verification

SIGNATURE = "x-tosspayments-signature"


def verify(received: Received, secrets: Sequence[bytes]) -> Verification:
    """Return `signature` if the header holds the raw body's signature with one of the secrets; else raise Forged."""
    return verify_raw(received, "X-Tosspayments-Signature", secrets)


def _answer(_event_id: str, event_type: str) -> WebhookResponse:
    if event_type in EVENT_TYPES:
        return json_response(200, {"status": "success", "event": event_type})
    reason = "unsupported_event" if event_type == "unsupported_type" else event_type
    return json_response(200, {"status": "ignored", "reason": reason})


def _unreadable(message: str) -> WebhookResponse:
    return json_response(200, {"status": "error", "message": f"{message}; the webhook is stored, do not send it again"})


PROVIDER = Provider(
    name="tosspayments",
    paths={"/api/webhooks/tosspayments": "subscription"},
    secret_setting="TOSSPAYMENTS_WEBHOOK_SECRET",
    verify=verify,
    translate=translate,
    stored_headers=frozenset({SIGNATURE}),
    success_response=_answer,
    refusals={
        "invalid_signature": json_response(401, {"error": True, "message": "Invalid signature"}),
        "malformed_body": json_response(200, {"status": "ignored", "reason": "invalid_json"}),
    },
    unreadable_response=_unreadable,
    spooled_response=json_response(
        200, {"status": "error", "message": "stored, and processed later; do not send it again"}
    ),
    no_secret_response=json_response(200, {"status": "ignored", "reason": "webhook_secret_not_configured"}),
    authentication="`X-Tosspayments-Signature`: hex HMAC-SHA256 of the raw body",
    events="`payment.confirmed`, `payment.failed`, `payment.canceled`, `billing.scheduled`; others are quarantined",
)
