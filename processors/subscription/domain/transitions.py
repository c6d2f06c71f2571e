"""Apply a domain event to a subscription. The state does not depend on the order in which events arrive."""

from dataclasses import replace

from processors.subscription.domain.subscription import OrderRegisters, PaidOrder, Subscription
from stream.events import BillingScheduled, PaymentCancelled, PaymentCompleted, PaymentRefunded
from stream.state import registers
from stream.state.aliases import NO_ORDER
from stream.state.registers import Register, Stamp, register

SubscriptionInput = PaymentCompleted | PaymentCancelled | PaymentRefunded | BillingScheduled
"""The domain events that change a subscription. A payment of an unchecked or wrong amount publishes none of them."""

REFUND_FAILED = "refund_failed"
"""The reason why a payment is published again after a cancel."""


def apply_event(subscription: Subscription, event: SubscriptionInput) -> Subscription:
    """Return the subscription with the event's order merged, and the next version."""
    order_id = event.order_id or NO_ORDER
    order = _merged(subscription.orders.get(order_id, PaidOrder()), _order(event))
    return replace(subscription, version=subscription.version + 1, orders={**subscription.orders, order_id: order})


def _order(event: SubscriptionInput) -> PaidOrder:
    """Return the state of the event's order that this event alone makes."""
    at = event.occurred_at or event.received_at
    stamp = Stamp(0, at, 0, event.event_id)
    match event:
        case PaymentCompleted() if event.reason == REFUND_FAILED:
            approved = OrderRegisters(approved_at=register(stamp, event.paid_at))
            return PaidOrder(approved, {event.event_id: Register(stamp, at)})
        case PaymentCompleted():
            return PaidOrder(OrderRegisters(approved_at=Register(stamp, event.paid_at or at)))
        case PaymentCancelled():
            cancelled_at = Register(stamp, event.cancelled_at or at)
            paid_by = register(stamp, at if event.refunded_amount else None)
            return PaidOrder(OrderRegisters(cancelled_at=cancelled_at, paid_by=paid_by))
        case PaymentRefunded():
            return PaidOrder(OrderRegisters(paid_by=Register(stamp, at)))
        case BillingScheduled():
            return PaidOrder(OrderRegisters(next_billing_at=register(stamp, event.next_billing_at)))


def _merged(left: PaidOrder, right: PaidOrder) -> PaidOrder:
    return PaidOrder(
        registers.merge(left.registers, right.registers), registers.merge_by_key(left.restored, right.restored)
    )
