"""Contract A: payment, shipping and refund webhooks from any sender that signs with the shop's secret.

`X-Webhook-Signature` is the hex HMAC-SHA256 of the raw body. It signs no time, so a webhook never becomes stale.
"""

from collections.abc import Callable, Sequence

import msgspec

from providers.contract import Forged, Provider, Received, Translation
from providers.generic import kinds
from providers.generic.objects import PaymentBody, RefundBody, ShippingBody
from providers.parsing import carriers, json_body
from providers.parsing.money import minor_units
from providers.parsing.timestamps import instant
from providers.signing import idempotency_key
from providers.signing.hmac_hex import verify_raw_or_compact
from stream.events import PaymentPayload, RefundPayload, ShippingPayload, Verification

SIGNATURE = "x-webhook-signature"
_payment = msgspec.json.Decoder(PaymentBody)
_shipping = msgspec.json.Decoder(ShippingBody)
_refund = msgspec.json.Decoder(RefundBody)


def verify(received: Received, secrets: Sequence[bytes]) -> Verification:
    """Return `signature` if the header holds the signature of the raw body or its compact form; else raise Forged.

    Contract A signs `JSON.stringify(payload)`, and one of its examples is posted indented.
    """
    if not received.headers.get(SIGNATURE):
        raise Forged("X-Webhook-Signature is missing")
    return verify_raw_or_compact(received, "X-Webhook-Signature", secrets)


def translate(received: Received, kind: str) -> Translation:
    """Translate a webhook of contract A, with its Idempotency-Key if it has one.

    Raises WrongEvent for a body of another kind, Malformed or InvalidField for one that cannot be read, InvalidField
    also for an unusable Idempotency-Key.
    """
    translation = idempotency_key.with_provider_event_id(_TRANSLATORS[kind](received), received)
    kinds.check(received.body, kind)
    return translation


def _translate_payment(received: Received) -> Translation:
    body = json_body.read(_payment, received.body)
    paid_at = instant(body.paidAt, "paidAt")
    payload = PaymentPayload(
        order_id=body.orderId,
        status="cancelled" if body.status == "canceled" else body.status,
        method=body.paymentMethod,
        transaction_id=body.transactionId,
        amount=minor_units(body.amount, "KRW"),
        paid_at=paid_at,
    )
    return Translation(payload, f"payment.{payload.status}", paid_at)


def _translate_shipping(received: Received) -> Translation:
    body = json_body.read(_shipping, received.body)
    scanned_at = instant(body.timestamp, "timestamp")
    payload = ShippingPayload(
        order_id=body.orderId,
        status=body.status,
        carrier=body.carrier,
        carrier_code=carriers.normalise(body.carrier),
        tracking_number=body.trackingNumber,
        location=body.location,
        scanned_at=scanned_at,
    )
    return Translation(payload, f"shipping.{body.status}", scanned_at)


def _translate_refund(received: Received) -> Translation:
    body = json_body.read(_refund, received.body)
    refunded_at = instant(body.processedAt, "processedAt")
    payload = RefundPayload(
        order_id=body.orderId,
        refund_id=body.refundId,
        status=body.status,
        amount=minor_units(body.amount, "KRW"),
        reason=body.reason,
        refunded_at=refunded_at,
    )
    return Translation(payload, f"refund.{body.status}", refunded_at)


_TRANSLATORS: dict[str, Callable[[Received], Translation]] = {
    "payment": _translate_payment,
    "shipping": _translate_shipping,
    "refund": _translate_refund,
}
"""Kind → its translator, which raises Malformed or InvalidField, and does not check the kind of the body."""
PROVIDER = Provider(
    name="generic",
    paths={"/webhooks/payment": "payment", "/webhooks/shipping": "shipping", "/webhooks/refund": "refund"},
    secret_setting="WEBHOOK_SECRET",
    verify=verify,
    translate=translate,
    stored_headers=frozenset({SIGNATURE, idempotency_key.HEADER}),
    events="a payment, a parcel's scan, a refund",
    authentication="`X-Webhook-Signature`: hex HMAC-SHA256 of the raw body, or of its compact form",
)
