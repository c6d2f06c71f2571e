"""The domain events that hold for a payment, and those that a change makes new."""

from typing import Literal

import msgspec

from processors.payment.domain import dispute
from processors.payment.domain.event_builders import Change, build_event
from processors.payment.domain.payment import Payment
from processors.payment.domain.published_state import payment_state
from processors.payment.domain.statuses import TRANSITIONS
from processors.payment.domain.transactions import transaction_log
from processors.payment.domain.transactions.cancel_claims import mismatch_reason
from stream.events import (
    AmountMismatched,
    DepositAwaited,
    DepositReversed,
    DisputeEvent,
    DomainEvent,
    PaymentCancelled,
    PaymentCompleted,
    PaymentFailed,
    PaymentOverpaid,
    PaymentRefunded,
    PaymentUpdated,
    RefundMismatched,
    RefundRequested,
    Webhook,
    ids,
)
from stream.state.aliases import NO_ORDER
from stream.state.registers import UNSET

OrdersPolicy = Literal["optional", "required"]
"""When PaymentCompleted holds: `optional`, as soon as the payment succeeds; `required`, once the order agrees, too.

The order agrees when it is known and its amount and currency are the payment's.
"""

NO_STATE = payment_state(Payment(NO_ORDER))
"""The state of an order without a payment."""

FIRST_STATUSES: dict[type[DomainEvent], str] = {
    PaymentFailed: "failed",
    DepositAwaited: "waiting_for_deposit",
    PaymentCompleted: "completed",
    AmountMismatched: "completed",
    PaymentCancelled: "completed",  # refunds of the whole amount cancel a payment of any later status
}
"""The first status that each of these events holds in. A payment below that status's tier has never had the event."""
FIRST_RANKS = {
    kind: rank for rank, tier in enumerate(TRANSITIONS) for kind, status in FIRST_STATUSES.items() if status in tier
}

EventKey = tuple[type[DomainEvent], tuple[str, ...]]
"""The type of a domain event, and the parts of its id. Two events with one key are one event."""


def new_events(before: Payment, after: Payment, cause: Webhook, orders: OrdersPolicy) -> tuple[DomainEvent, ...]:
    """Return the domain events that hold after a change and did not hold before; none for an order without a payment.

    If columns of the order view changed, PaymentUpdated is added unless one of these events surely never held before.
    An event that holds again keeps its id, so consumers skip it and would miss the new state that it carries.
    """
    if not after.version or after == msgspec.structs.replace(before, version=after.version):
        return ()  # there is no payment, or the webhook is late or states nothing new
    keys = event_keys(after, orders)
    known = event_keys(before, orders) if keys and before.version else ()
    events = [
        dispute.build_event((kind, key), after, cause)
        if issubclass(kind, DisputeEvent)
        else build_event(kind, Change(key, before, after, cause))
        for kind, key in keys
        if (kind, key) not in known
    ]
    carries_state = any(_is_first(event, before, after, cause) for event in events)
    return tuple(events) if carries_state else (*events, *_updates(before, after, cause))


def _is_first(event: DomainEvent, before: Payment, after: Payment, cause: Webhook) -> bool:
    """Return whether an event cannot have held before: the cause brought the payment to the first tier it holds in."""
    was, now = before.registers.status.stamp, after.registers.status.stamp
    return was.rank < FIRST_RANKS.get(type(event), 0) and now.event_id == cause.envelope.event_id


def _updates(before: Payment, after: Payment, cause: Webhook) -> tuple[PaymentUpdated, ...]:
    """Return PaymentUpdated if the columns of the order view changed."""
    was = payment_state(before) if before.version or before.entries else NO_STATE
    state = payment_state(after)
    if msgspec.structs.replace(was, revision=state.revision) == state:
        return ()
    envelope = cause.envelope
    event = PaymentUpdated(
        event_id=ids.domain_event_id("PaymentUpdated", after.order_id, *map(str, state.revision)),
        caused_by=envelope.event_id,
        mode=envelope.mode,
        occurred_at=envelope.occurred_at,
        received_at=envelope.received_at,
        order_id=after.order_id,
        customer_id=after.registers.user_id.value,
        state=state,
    )
    return (event,)


def event_keys(payment: Payment, orders: OrdersPolicy = "optional") -> tuple[EventKey, ...]:
    """Return the keys of all domain events that hold for the payment, disputes included; PaymentUpdated has none."""
    order = payment.order_id
    match payment.status:
        case "failed":
            keys: tuple[EventKey, ...] = (_failed(payment),)
        case "waiting_for_deposit":
            keys = (_deposit(payment),)
        case "completed" | "partially_cancelled":
            keys = (*_paid(payment, orders), *_overpaid(payment), *_refunded(payment))
        case "cancelled":
            keys = ((PaymentCancelled, (order, *_occurrence(payment))),)
        case _:
            keys = ()
    if payment.claims or payment.disputes or payment.refunds.excessive:
        return (*keys, *_mismatched_refunds(payment), *dispute.event_keys(payment))
    return keys


def _failed(payment: Payment) -> EventKey:
    """Return the key of the failed attempt; from the second attempt on it ends with the attempt's number."""
    transaction = payment.registers.transaction_id.value or ""
    times = transaction_log.count_failed_attempts(payment.entries, transaction)
    return PaymentFailed, (payment.order_id, transaction, *((str(times),) if times > 1 else ()))


def _occurrence(payment: Payment) -> tuple[str, ...]:
    """Return how often the order was paid or its refund failed, as the last part of a key; empty for the first time."""
    repeats = max(payment.paid_counts.paid - 1, 0) + payment.refunds.failures
    return (str(repeats + 1),) if repeats else ()


def _deposit(payment: Payment) -> EventKey:
    """Return DepositReversed if the deposit was made before, because the bank took it back; else DepositAwaited."""
    if payment.registers.deposited.value:
        return DepositReversed, (payment.order_id, str(payment.paid_counts.reversed))
    return DepositAwaited, (payment.order_id,)


def _paid(payment: Payment, orders: OrdersPolicy) -> tuple[EventKey, ...]:
    """Return PaymentCompleted, or for a wrong amount AmountMismatched and, unless it is 0, RefundRequested.

    Empty if `orders` is `required` and the amount is not checked yet.
    """
    if payment.mismatched:
        transaction = payment.live[0] if payment.live else payment.stated.transaction_id.value or ""
        kinds = (AmountMismatched, RefundRequested) if payment.stated.amount.value else (AmountMismatched,)
        return tuple((kind, (payment.order_id, transaction, *_occurrence(payment))) for kind in kinds)
    if orders == "required" and not payment.is_checked:
        return ()
    return ((PaymentCompleted, (payment.order_id, *_occurrence(payment))),)


def _overpaid(payment: Payment) -> tuple[EventKey, ...]:
    return tuple(
        (kind, (payment.order_id, transaction))
        for transaction in payment.extra_transactions
        for kind in _overpayment_kinds(payment, transaction)
    )


def _overpayment_kinds(payment: Payment, transaction: str) -> tuple[type[DomainEvent], ...]:
    """Return PaymentOverpaid, and RefundRequested if the amount to refund is known."""
    is_known = payment.transactions[transaction].amount is not UNSET
    return (PaymentOverpaid, RefundRequested) if is_known else (PaymentOverpaid,)


def _refunded(payment: Payment) -> tuple[EventKey, ...]:
    """The key holds the total: an entry and the provider's own sum that report the same refund make one event.

    Failed refunds count in the total, because the same total after a failed refund belongs to another refund.
    """
    if not payment.refunded_amount:
        return ()
    return ((PaymentRefunded, (payment.order_id, str(payment.refunded_amount + payment.refunds.failed_amount))),)


def _mismatched_refunds(payment: Payment) -> tuple[EventKey, ...]:
    """Return the keys for cancels that do not belong to the order's payment, and for refunds above the amount paid."""
    waiting = [
        (payment.order_id, claim.provider, claim.transaction, mismatch_reason(payment.parts, claim) or "")
        for claim in payment.waiting_claims
    ]
    excessive = [
        (payment.order_id, transaction, str(payment.refunds.stated_of(transaction)))
        for transaction in payment.refunds.excessive
    ]
    return tuple((RefundMismatched, key) for key in (*waiting, *excessive))
