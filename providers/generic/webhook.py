"""Contract A: payment, shipping and refund webhooks from any sender that signs with the shop's secret.

`X-Webhook-Signature` is the hex HMAC-SHA256 of the raw body. It signs no time, so a webhook never becomes stale.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from providers.contract import Forged, Provider, Received, Translation
from providers.generic import kinds
from providers.parsing import carriers, json_body
from providers.parsing.fields import ABSENT, Id, Instant, OrderId, StrictOptional, Text
from providers.parsing.money import minor_units
from providers.parsing.timestamps import instant
from providers.signing import idempotency_key
from providers.signing.hmac_hex import signature, verify_raw_or_compact
from stream.events import PaymentNotice, RefundNotice, ShippingNotice, Verification

SIGNATURE = "x-webhook-signature"


class PaymentBody(msgspec.Struct):
    orderId: OrderId
    status: Literal["completed", "failed", "cancelled", "canceled", "pending"]
    type: StrictOptional[Literal["payment"]] = None
    paymentMethod: Text | None = None
    transactionId: Id | None = None
    amount: msgspec.Raw = ABSENT
    paidAt: Instant = ABSENT


class ShippingBody(msgspec.Struct):
    orderId: OrderId
    status: Literal["preparing", "in_transit", "out_for_delivery", "delivered", "failed"]
    type: StrictOptional[Literal["shipping"]] = None
    trackingNumber: Id | None = None
    carrier: Text | None = None
    location: Text | None = None
    timestamp: Instant = ABSENT


class RefundBody(msgspec.Struct):
    orderId: OrderId
    refundId: OrderId
    status: Literal["pending", "processing", "completed", "rejected"]
    type: StrictOptional[Literal["refund"]] = None
    amount: msgspec.Raw = ABSENT
    reason: Text | None = None
    processedAt: Instant = ABSENT


_payment = msgspec.json.Decoder(PaymentBody)
_shipping = msgspec.json.Decoder(ShippingBody)
_refund = msgspec.json.Decoder(RefundBody)


def verify(received: Received, secrets: Sequence[bytes]) -> Verification:
    """Check the signature of the raw body, else of its compact form, with all live secrets.

    Contract A signs `JSON.stringify(payload)`, and one of its examples is posted indented. Raises Forged.
    """
    if not received.headers.get(SIGNATURE):
        raise Forged("X-Webhook-Signature is missing")
    return verify_raw_or_compact(received, "X-Webhook-Signature", secrets)


def sign(payload: bytes, secret: bytes, at: int = 0) -> dict[str, str]:  # noqa: ARG001 - the scheme has no time
    """Return the headers that a sender adds to this body."""
    return {"X-Webhook-Signature": signature(payload, secret)}


def translate(received: Received, kind: str) -> Translation:
    """Translate a webhook of contract A.

    Raises WrongEvent for a body of another kind, Malformed or InvalidField for one that cannot be read.
    """
    translation = idempotency_key.with_event_id(_TRANSLATORS[kind](received), received)
    kinds.check(received.body, kind)
    return translation


def _translate_payment(received: Received) -> Translation:
    body = json_body.read(_payment, received.body)
    paid_at = instant(body.paidAt, "paidAt")
    notice = PaymentNotice(
        order_id=body.orderId,
        status="cancelled" if body.status == "canceled" else body.status,
        method=body.paymentMethod,
        transaction_id=body.transactionId,
        amount=minor_units(body.amount, "KRW"),
        paid_at=paid_at,
    )
    return Translation(notice, f"payment.{notice.status}", paid_at)


def _translate_shipping(received: Received) -> Translation:
    body = json_body.read(_shipping, received.body)
    scanned_at = instant(body.timestamp, "timestamp")
    notice = ShippingNotice(
        order_id=body.orderId,
        status=body.status,
        carrier=body.carrier,
        carrier_code=carriers.normalise(body.carrier),
        tracking_number=body.trackingNumber,
        location=body.location,
        scanned_at=scanned_at,
    )
    return Translation(notice, f"shipping.{body.status}", scanned_at)


def _translate_refund(received: Received) -> Translation:
    body = json_body.read(_refund, received.body)
    refunded_at = instant(body.processedAt, "processedAt")
    notice = RefundNotice(
        order_id=body.orderId,
        refund_id=body.refundId,
        status=body.status,
        amount=minor_units(body.amount, "KRW"),
        reason=body.reason,
        refunded_at=refunded_at,
    )
    return Translation(notice, f"refund.{body.status}", refunded_at)


_TRANSLATORS: dict[str, Callable[[Received], Translation]] = {
    "payment": _translate_payment,
    "shipping": _translate_shipping,
    "refund": _translate_refund,
}


PROVIDER = Provider(
    name="generic",
    paths={"/webhooks/payment": "payment", "/webhooks/shipping": "shipping", "/webhooks/refund": "refund"},
    secret_setting="WEBHOOK_SECRET",  # noqa: S106 - the name of the setting
    verify=verify,
    translate=translate,
    sign=sign,
    kept_headers=frozenset({SIGNATURE, idempotency_key.HEADER}),
    events="a payment, a parcel's scan, a refund",
    proof="`X-Webhook-Signature`: hex HMAC-SHA256 of the raw body, or of its compact form",
)
