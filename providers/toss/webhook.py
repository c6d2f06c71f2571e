"""`toss`: Toss Payments' own webhooks, not contract C (`tosspayments`). Its API confirms each of a payment (`api.py`).

Three shapes (docs.tosspayments.com, "webhook events"): an envelope `{eventType, createdAt, data}`; the flat deposit
callback, without `eventType` but with a `secret` that must be the payment's own; payouts and sellers, which alone are
signed. Contract B posts a flat `{eventType, orderId, status}`.
"""

import base64
import hmac
from collections.abc import Sequence

import msgspec

from providers.api_support import without_empty
from providers.contract import (
    ApiVerification,
    Forged,
    InvalidField,
    Provider,
    Received,
    RefusedWebhook,
    Translation,
    Unsupported,
)
from providers.parsing import json_body
from providers.responses import always, json_response
from providers.signing.comparison import any_equal
from providers.toss import api
from providers.toss.objects import TossEvent, TossEventHead
from stream.events import Verification, VerificationRequest

SIGNATURE = "tosspayments-webhook-signature"
TIME = "tosspayments-webhook-transmission-time"
ID = "tosspayments-webhook-transmission-id"
SIGNED = ("payout.changed", "seller.changed")
"""The only events that Toss signs."""
PAYMENT, CANCEL, DEPOSIT = "PAYMENT_STATUS_CHANGED", "CANCEL_STATUS_CHANGED", "DEPOSIT_CALLBACK"
RECEIVED = json_response(200, {"received": True})
MAX_TRIES = 10
"""Maximum number of signatures in a header that are compared; Toss sends two."""
_head = msgspec.json.Decoder(TossEventHead)
_event = msgspec.json.Decoder(TossEvent)


def verify(received: Received, secrets: Sequence[bytes]) -> Verification:
    """Return `signature` for a payout or seller webhook signed with one of the secrets, `unsigned_allowed` for others.

    The signed text is `{body}:{transmission time}`. Toss does not document whether the 64 hex digits of a key are
    decoded first, so both are tried. Raises Forged for a payout or seller webhook with a wrong signature.
    """
    if not _is_signed(received.body):
        return "unsigned_allowed"
    payload = received.body + b":" + received.headers.get(TIME, "").encode("latin-1")
    parts = received.headers.get(SIGNATURE, "").encode("latin-1").split(b",")[:MAX_TRIES]
    expected = (_signature(payload, key) for secret in secrets for key in _keys(secret))
    if not any_equal(expected, [part.strip() for part in parts]):
        raise Forged("tosspayments-webhook-signature is not the HMAC-SHA256 of this body and time")
    return "signature"


def translate(received: Received, _kind: str) -> Translation:
    """Return the verification request for a webhook.

    Raises Unsupported if it is not about a payment or names neither payment nor order, InvalidField for a deposit
    callback without a secret, Malformed or InvalidField for a body that cannot be read.
    """
    head = json_body.read(_head, received.body)
    event = head.eventType or (DEPOSIT if head.secret is not None else None)
    if event not in (PAYMENT, CANCEL, DEPOSIT):
        raise Unsupported("the webhook is not about a payment")
    outer = json_body.read(_event, received.body)
    payment = outer.data or outer
    if event == DEPOSIT and not payment.secret:
        raise InvalidField("secret is missing")
    alias = payment.paymentKey or payment.orderId
    if alias is None:
        raise Unsupported("the webhook names neither a payment nor an order, so the API cannot be asked")
    request = VerificationRequest(
        subject="payment" if payment.paymentKey else "order",
        alias=alias,
        order_id=payment.orderId,
        claims=_claims(event, payment),
    )
    return Translation(request, event, None)


def _claims(event: str, payment: TossEvent) -> dict[str, str]:
    """Return what the event claims. `toss.api` reads the deposit's secret and the time from the body later."""
    claims = {"event": event, "status": payment.status}
    if event == CANCEL:
        claims = {"event": event, "cancelStatus": payment.cancelStatus, "transactionKey": payment.transactionKey}
    return without_empty(claims)


def _is_signed(payload: bytes) -> bool:
    try:
        return json_body.read(_head, payload).eventType in SIGNED
    except RefusedWebhook:
        return False


def _keys(secret: bytes) -> tuple[bytes, ...]:
    """Return a security key as it is written and, if it is hex, decoded."""
    try:
        return secret, bytes.fromhex(secret.decode("ascii"))
    except ValueError:
        return (secret,)


def _signature(payload: bytes, key: bytes) -> bytes:
    return b"v1:" + base64.b64encode(hmac.digest(key, payload, "sha256"))


PROVIDER = Provider(
    name="toss",
    paths={"/api/webhooks/toss": "payment"},
    secret_setting="TOSS_WEBHOOK_SECRET",
    verify=verify,
    translate=translate,
    stored_headers=frozenset({SIGNATURE, TIME, ID}),
    success_response=always(RECEIVED),
    is_unsigned=True,
    api_verification=ApiVerification("https://api.tosspayments.com", api.build_request, api.read_response),
    authentication=(
        "nothing signs payments: the API is asked, and a deposit's `secret` must be its payment's; "
        "`payout.changed` and `seller.changed`: `tosspayments-webhook-signature`, base64 HMAC-SHA256 of body "
        "and time"
    ),
    events=(
        "`PAYMENT_STATUS_CHANGED`, `CANCEL_STATUS_CHANGED`, deposit callbacks; payouts, sellers, billing keys"
        " and the like are quarantined"
    ),
)
