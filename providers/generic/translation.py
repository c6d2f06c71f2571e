"""Translates contract A's payments, parcels and refunds. The kind of a body is checked in `kinds`."""

from collections.abc import Callable

import msgspec

from providers.contract import Received, Translation
from providers.generic.objects import PaymentBody, RefundBody, ShippingBody
from providers.parsing import carriers, json_body
from providers.parsing.money import minor_units
from providers.parsing.timestamps import instant
from stream.events import PaymentPayload, RefundPayload, ShippingPayload

_payment = msgspec.json.Decoder(PaymentBody)
_shipping = msgspec.json.Decoder(ShippingBody)
_refund = msgspec.json.Decoder(RefundBody)


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


TRANSLATORS: dict[str, Callable[[Received], Translation]] = {
    "payment": _translate_payment,
    "shipping": _translate_shipping,
    "refund": _translate_refund,
}
"""Kind → its translator, which raises Malformed or InvalidField, and does not check the kind of the body."""
