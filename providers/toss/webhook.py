"""Toss Payments' own webhooks: what they tell of payments nobody signs, so each is a question for Toss's API.

Three shapes (docs.tosspayments.com, "webhook events"): an envelope `{eventType, createdAt, data}`; the flat deposit
callback, without `eventType` but with a `secret` that must be the payment's own; payouts and sellers, the only ones
signed. Contract B posts a flat `{eventType, orderId, status}`. What the API answers is read in `toss_payment`.
"""

import base64
import hmac
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec

from providers.contract import (
    ApiVerification,
    Forged,
    InvalidField,
    Provider,
    Received,
    RefusedWebhook,
    Translation,
    Unsupported,
    WebhookResponse,
    json_response,
)
from providers.parsing import json_body
from providers.parsing.fields import Id, StrictOptional, Text
from providers.parsing.timestamps import in_korea
from providers.toss import api as toss_payment
from stream.events import Question, Verification

SIGNATURE = "tosspayments-webhook-signature"
TIME = "tosspayments-webhook-transmission-time"
ID = "tosspayments-webhook-transmission-id"
SIGNED = ("payout.changed", "seller.changed")
PAYMENT, CANCEL, DEPOSIT = "PAYMENT_STATUS_CHANGED", "CANCEL_STATUS_CHANGED", "DEPOSIT_CALLBACK"
RECEIVED = json_response(200, {"received": True})
MAX_TRIES = 10
"""So many of the signatures in a header are compared; Toss sends two."""


class TossEventHead(msgspec.Struct):
    """What tells the shapes apart."""

    eventType: Text | None = None
    secret: Any = None


class TossEvent(msgspec.Struct):
    """What is read of a payment, flat or in `data`."""

    data: "TossEvent | None" = None
    paymentKey: Id | None = None
    orderId: StrictOptional[Id] = None
    status: Text | None = None
    cancelStatus: Text | None = None
    transactionKey: Id | None = None
    secret: Text | None = None


_head = msgspec.json.Decoder(TossEventHead)
_told = msgspec.json.Decoder(TossEvent)


def verify(received: Received, secrets: Sequence[bytes]) -> Verification:
    """Prove a payout or seller webhook by any live security key; nothing proves the others.

    Signed is `{body}:{transmission time}`. Whether the 64 hex digits of a key are decoded first is not published, so
    both are tried.
    """
    if not _is_signed(received.body):
        return "unsigned_allowed"
    payload = received.body + b":" + received.headers.get(TIME, "").encode("latin-1")
    given = received.headers.get(SIGNATURE, "").encode("latin-1").split(b",")[:MAX_TRIES]
    expected = [_signature(payload, key) for secret in secrets for key in _keys(secret)]
    matches = [hmac.compare_digest(ours, theirs.strip()) for ours in expected for theirs in given]
    if not any(matches):
        raise Forged("tosspayments-webhook-signature is not the HMAC-SHA256 of this body and time")
    return "signature"


def sign(payload: bytes, secret: bytes, at: int = 0) -> dict[str, str]:
    """The headers Toss adds to this body."""
    time = in_korea(at).isoformat(timespec="seconds")
    headers = {
        "TossPayments-Webhook-Transmission-Time": time,
        "TossPayments-Webhook-Transmission-Retried-Count": "0",
        "TossPayments-Webhook-Transmission-Id": f"whtrans_{sha256(payload).hexdigest()[:29]}",
    }
    if _is_signed(payload):
        signature = _signature(payload + b":" + time.encode(), _keys(secret)[-1])
        headers["TossPayments-Webhook-Signature"] = signature.decode()
    return headers


def translate(received: Received, kind: str) -> Translation:  # noqa: ARG001 - one path
    """The question a webhook raises; Unsupported for what tells of no payment."""
    head = json_body.read(_head, received.body)
    event = head.eventType or (DEPOSIT if head.secret is not None else None)
    if event not in (PAYMENT, CANCEL, DEPOSIT):
        raise Unsupported("it tells of no payment")
    outer = json_body.read(_told, received.body)
    told = outer.data or outer
    if event == DEPOSIT and not told.secret:
        raise InvalidField("secret is missing")
    reference = told.paymentKey or told.orderId
    if reference is None:
        raise Unsupported("it names neither a payment nor an order, so nothing can be asked")
    question = Question(
        subject="payment" if told.paymentKey else "order",
        reference=reference,
        order_id=told.orderId,
        claims=_claims(event, told),
    )
    return Translation(question, event, None)


def _claims(event: str, told: TossEvent) -> dict[str, str]:
    """What it says of the payment; the deposit's secret and the time stay in the body, where they are read again."""
    said = {"event": event, "status": told.status}
    if event == CANCEL:
        said = {"event": event, "cancelStatus": told.cancelStatus, "transactionKey": told.transactionKey}
    return {name: value for name, value in said.items() if value}


def _is_signed(payload: bytes) -> bool:
    try:
        return json_body.read(_head, payload).eventType in SIGNED
    except RefusedWebhook:
        return False


def _keys(secret: bytes) -> tuple[bytes, ...]:
    """A security key as it stands and, where that is hex, decoded."""
    try:
        return secret, bytes.fromhex(secret.decode("ascii"))
    except ValueError:
        return (secret,)


def _signature(payload: bytes, key: bytes) -> bytes:
    return b"v1:" + base64.b64encode(hmac.digest(key, payload, "sha256"))


def _received(event_id: str, event_type: str) -> WebhookResponse:  # noqa: ARG001
    return RECEIVED


PROVIDER = Provider(
    name="toss",
    paths={"/api/webhooks/toss": "payment"},
    secret_setting="TOSS_WEBHOOK_SECRET",  # noqa: S106 - the name of the setting
    verify=verify,
    translate=translate,
    sign=sign,
    kept_headers=frozenset({SIGNATURE, TIME, ID}),
    answer=_received,
    is_unsigned=True,
    api_verification=ApiVerification(
        "https://api.tosspayments.com", toss_payment.build_request, toss_payment.read_response
    ),
    proof=(
        "nothing signs payments: the API is asked, and a deposit's `secret` must be its payment's; "
        "`payout.changed` and `seller.changed`: `tosspayments-webhook-signature`, base64 HMAC-SHA256 of body "
        "and time"
    ),
    events=(
        "`PAYMENT_STATUS_CHANGED`, `CANCEL_STATUS_CHANGED`, deposit callbacks; payouts, sellers, billing keys"
        " and the like are kept aside"
    ),
)
