"""The state of an order's payment, parcel or refunds that a domain event states.

Most events carry that state in their field `state`. Events of crypto invoices, and events published before the order
view existed, do not: their state is made from their other fields. Pure.
"""

from processors.order.domain.statuses_of_events import PAYMENT_STATUSES, SHIPPING_STATUSES
from stream.events import (
    AmountMismatched,
    DomainEvent,
    InvoiceCancelled,
    InvoiceCompleted,
    InvoiceEvent,
    PaymentCancelled,
    PaymentCompleted,
    PaymentState,
    RefundCompleted,
    RefundEvent,
    RefundState,
    ShipmentEvent,
    ShipmentState,
)

State = PaymentState | ShipmentState | RefundState

EXPIRED, CRYPTO = "expired", "crypto"
"""The reason of an invoice that nobody paid in time, and the payment method of invoices."""

PAID = (PaymentCompleted, AmountMismatched, PaymentCancelled, InvoiceCompleted)
"""The events whose `amount` is what was paid."""


def state_of(event: DomainEvent) -> State | None:
    """Return the state of a payment, a parcel or refunds that an event states.

    None for an event that states none of these, such as one about a subscription, and for a parcel without an order.
    """
    carried: State | None = getattr(event, "state", None)
    if carried is not None:
        return carried
    if type(event) in PAYMENT_STATUSES:
        return _payment(event)
    if isinstance(event, ShipmentEvent):
        return _shipment(event)
    return _refunds(event) if isinstance(event, RefundEvent) else None


def _payment(event: DomainEvent) -> PaymentState:
    states_paid_amount, status = isinstance(event, PAID), PAYMENT_STATUSES[type(event)]
    if isinstance(event, InvoiceCancelled) and event.reason == EXPIRED:
        status = "expired"
    columns = {
        "payment_status": status,
        "payment_method": CRYPTO if isinstance(event, InvoiceEvent) else getattr(event, "method", None),
        "transaction_id": getattr(event, "transaction_id", None),
        "paid_amount": getattr(event, "amount", None) if states_paid_amount else None,
        "paid_at": event.occurred_at if isinstance(event, InvoiceCompleted) else getattr(event, "paid_at", None),
        "refunded_amount": getattr(event, "refunded_amount", None) or 0,
    }
    return PaymentState(
        revision=_revision(list(PAYMENT_STATUSES), event),
        currency=getattr(event, "currency", None),
        set_by=dict.fromkeys((name for name, value in columns.items() if value), event.caused_by),
        **columns,  # type: ignore[arg-type]
    )


def _shipment(event: ShipmentEvent) -> ShipmentState | None:
    if event.order_id is None:
        return None
    columns = {
        "tracking_number": event.tracking_number,
        "carrier": event.carrier,
        "last_location": event.location,
        "shipping_updated_at": event.occurred_at,
    }
    return ShipmentState(
        revision=_revision(list(SHIPPING_STATUSES), event),
        shipment_id=f"{event.carrier}:{event.tracking_number}",
        order_id=event.order_id,
        shipping_status=SHIPPING_STATUSES[type(event)],
        set_by=dict.fromkeys(("shipping_status", *(name for name, value in columns.items() if value)), event.caused_by),
        **columns,  # type: ignore[arg-type]
    )


def _refunds(event: RefundEvent) -> RefundState:
    is_completed = isinstance(event, RefundCompleted)
    columns = ("refund_status", "refunded_amount") if is_completed else ("refund_status",)
    return RefundState(
        revision=_revision([], event),
        refund_status="completed" if is_completed else "rejected",
        refunded_amount=(event.amount or 0) if is_completed else 0,
        currency=event.currency,
        set_by=dict.fromkeys(columns, event.caused_by),
    )


def _revision(ranking: list[type[DomainEvent]], event: DomainEvent) -> tuple[int, ...]:
    """Return a revision below those that events carry, which begin with 1 or more."""
    rank = ranking.index(type(event)) if ranking else 0
    return (0, rank, event.occurred_at or event.received_at)
