"""Webhooks as values: what a test does not care about has a default."""

from typing import Any

from stream import ids
from stream.events import (
    Envelope,
    Notice,
    OrderNotice,
    OrderWebhook,
    PaymentNotice,
    PaymentWebhook,
    RefundNotice,
    RefundWebhook,
    ShippingNotice,
    ShippingWebhook,
)

NOON = 1_700_000_000_000_000
MINUTE = 60_000_000


def an_envelope(
    notice: Notice, *, at: int | None = NOON, name: str | None = None, provider: str = "generic"
) -> Envelope:
    digest = ids.digest(notice)
    return Envelope(
        event_id=ids.event_id(provider, "test", name or f"{at} {digest.hex()}"),
        digest=digest,
        provider=provider,
        mode="test",
        provider_event_id=name,
        event_type="test",
        verification="signature",
        occurred_at=at,
        received_at=NOON + MINUTE,
        path="/webhooks/test",
        headers={},
        raw=b'{"from": "a builder"}',
    )


def a_payment(
    status: Any = "completed", *, order: str | None = "1", at: int | None = NOON, name: str | None = None, **said: Any
) -> PaymentWebhook:
    notice = PaymentNotice(order_id=order, status=status, **{"amount": 58000, **said})
    return PaymentWebhook(envelope=an_envelope(notice, at=at, name=name), notice=notice)


def a_scan(
    status: Any = "in_transit",
    *,
    order: str | None = "1",
    at: int | None = NOON,
    name: str | None = None,
    provider: str = "generic",
    **said: Any,
) -> ShippingWebhook:
    notice = ShippingNotice(order_id=order, status=status, **said)
    return ShippingWebhook(envelope=an_envelope(notice, at=at, name=name, provider=provider), notice=notice)


def a_refund(
    status: Any = "completed", *, order: str | None = "1", at: int | None = NOON, name: str | None = None, **said: Any
) -> RefundWebhook:
    notice = RefundNotice(order_id=order, status=status, **{"refund_id": "R-1", "amount": 58000, **said})
    return RefundWebhook(envelope=an_envelope(notice, at=at, name=name), notice=notice)


def an_order(*, order: str = "1", at: int | None = NOON, name: str | None = None, **said: Any) -> OrderWebhook:
    notice = OrderNotice(order_id=order, **{"customer_email": "kim@example.test", **said})
    return OrderWebhook(envelope=an_envelope(notice, at=at, name=name), notice=notice)
