"""Builders of webhooks and domain events for tests, with a default for every field.

`at` is the provider's time in microseconds, None for an event without one. `name` is the provider's event id: webhooks
with the same name are the same event. `order` is the order id. Any other keyword is a field of the payload or event.
"""

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from stream.events import (
    BillingScheduled,
    DisputePayload,
    DisputeWebhook,
    DomainEvent,
    Envelope,
    EventId,
    InvoicePayload,
    InvoiceWebhook,
    Micros,
    OrderId,
    OrderPayload,
    OrderWebhook,
    Payload,
    PaymentCancelled,
    PaymentCompleted,
    PaymentPayload,
    PaymentRefunded,
    PaymentUpdated,
    PaymentWebhook,
    RefundPayload,
    RefundUpdated,
    RefundWebhook,
    ShipmentUpdated,
    ShippingPayload,
    ShippingWebhook,
    TransferPayload,
    TransferWebhook,
    ids,
)

F = TypeVar("F", bound=DomainEvent)

UPDATES = (PaymentUpdated, ShipmentUpdated, RefundUpdated)

NOON = Micros(1_700_000_000_000_000)
MINUTE = 60_000_000


def without_updates(events: Iterable[DomainEvent]) -> tuple[DomainEvent, ...]:
    """Return the events without UPDATES, which only keep the order view up to date."""
    return tuple(event for event in events if not isinstance(event, UPDATES))


def an_envelope(
    payload: Payload, *, at: int | None = NOON, name: str | None = None, provider: str = "generic"
) -> Envelope:
    digest = ids.digest(payload)
    return Envelope(
        event_id=ids.event_id(provider, "test", name or f"{at} {digest.hex()}"),
        digest=digest,
        provider=provider,
        mode="test",
        provider_event_id=name,
        event_type="test",
        verification="signature",
        occurred_at=None if at is None else Micros(at),
        received_at=Micros(NOON + MINUTE),
        path="/webhooks/test",
        headers={},
        raw=b'{"from": "a builder"}',
    )


ORDER = OrderId("1")
"""The order of the builders' records unless another is named."""


def a_payment(
    status: Any = "completed",
    *,
    order: str | None = ORDER,
    at: int | None = NOON,
    name: str | None = None,
    provider: str = "generic",
    **stated: Any,
) -> PaymentWebhook:
    payload = PaymentPayload(order_id=_order_id(order), status=status, **{"amount": 58000, **stated})
    return PaymentWebhook(envelope=an_envelope(payload, at=at, name=name, provider=provider), payload=payload)


def a_dispute(
    status: Any = "needs_response",
    *,
    order: str | None = ORDER,
    at: int | None = NOON,
    name: str | None = None,
    **stated: Any,
) -> DisputeWebhook:
    payload = DisputePayload(
        order_id=_order_id(order),
        status=status,
        **{"dispute_id": "dp_1", "amount": 58000, "reason": "fraudulent", **stated},
    )
    return DisputeWebhook(envelope=an_envelope(payload, at=at, name=name, provider="stripe"), payload=payload)


def a_scan(
    status: Any = "in_transit",
    *,
    order: str | None = ORDER,
    at: int | None = NOON,
    name: str | None = None,
    provider: str = "generic",
    **stated: Any,
) -> ShippingWebhook:
    payload = ShippingPayload(order_id=_order_id(order), status=status, **stated)
    return ShippingWebhook(envelope=an_envelope(payload, at=at, name=name, provider=provider), payload=payload)


def a_refund(
    status: Any = "completed",
    *,
    order: str | None = ORDER,
    at: int | None = NOON,
    name: str | None = None,
    provider: str = "generic",
    **stated: Any,
) -> RefundWebhook:
    payload = RefundPayload(order_id=_order_id(order), status=status, **{"refund_id": "R-1", "amount": 58000, **stated})
    return RefundWebhook(envelope=an_envelope(payload, at=at, name=name, provider=provider), payload=payload)


def an_order(*, order: str = ORDER, at: int | None = NOON, name: str | None = None, **stated: Any) -> OrderWebhook:
    payload = OrderPayload(order_id=OrderId(order), **{"customer_email": "kim@example.test", **stated})
    return OrderWebhook(envelope=an_envelope(payload, at=at, name=name), payload=payload)


def an_invoice(
    state: Any = "Complete", *, invoice: str = "I-1", at: int | None = NOON, name: str | None = None, **stated: Any
) -> InvoiceWebhook:
    payload = InvoicePayload(invoice_id=invoice, state=state, **stated)
    return InvoiceWebhook(envelope=an_envelope(payload, at=at, name=name), payload=payload)


def a_transfer(
    state: Any = "Complete", *, transaction: str = "tx-1", at: int | None = NOON, name: str | None = None, **stated: Any
) -> TransferWebhook:
    payload = TransferPayload(transaction_id=transaction, state=state, **stated)
    return TransferWebhook(envelope=an_envelope(payload, at=at, name=name), payload=payload)


def a_domain_event(kind: type[F], *, order: str | None = ORDER, at: int | None = NOON, **stated: Any) -> F:
    """Return a domain event whose id is derived from all its fields, so that two with equal fields are one event."""
    fields = {
        "caused_by": ids.event_id("generic", "test", f"{order} {at}"),
        "mode": "test",
        "occurred_at": at,
        "received_at": NOON + MINUTE,
        "order_id": order,
        **stated,
    }
    event = kind(event_id=EventId(""), **fields)
    return msgspec.structs.replace(event, event_id=ids.domain_event_id(kind.__name__, repr(event)))


def an_approval(order: str, *, at: int | None = NOON, **stated: Any) -> PaymentCompleted:
    return a_domain_event(
        PaymentCompleted, order=order, at=at, **{**OF_PAYMENT, "method": None, "paid_at": None, **stated}
    )


def a_cancel(order: str, *, at: int | None = NOON, **stated: Any) -> PaymentCancelled:
    return a_domain_event(PaymentCancelled, order=order, at=at, **{**OF_PAYMENT, **stated})


def a_part_cancel(order: str, *, at: int | None = NOON, **stated: Any) -> PaymentRefunded:
    return a_domain_event(PaymentRefunded, order=order, at=at, **{**OF_PAYMENT, "refunded_amount": 100, **stated})


def a_billing(order: str, *, at: int | None = NOON, **stated: Any) -> BillingScheduled:
    published = {"provider": "tosspayments", "amount": None, "currency": "KRW", "next_billing_at": None}
    return a_domain_event(BillingScheduled, order=order, at=at, **{**published, **stated})


OF_PAYMENT = {"provider": "tosspayments", "amount": 9900, "currency": "KRW", "transaction_id": None}


def _order_id(order: str | None) -> OrderId | None:
    return None if order is None else OrderId(order)
