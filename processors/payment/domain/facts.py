"""What can be said of a payment as it stands, and what of it is news."""

from typing import Any, Literal

from processors.payment.domain.payment import Payment, tell, tell_order
from stream import ids, registers
from stream.events import (
    AmountMismatched,
    DepositAwaited,
    DepositReversed,
    Fact,
    OrderWebhook,
    OutcomeKind,
    PaymentCancelled,
    PaymentCompleted,
    PaymentFailed,
    PaymentOverpaid,
    PaymentRefunded,
    PaymentWebhook,
    RefundRequested,
    Webhook,
)

OrdersPolicy = Literal["optional", "required"]
"""Whether a success is told at once, or only when the shop's order is known and its amount agrees."""

Truth = tuple[type[Fact], tuple[str, ...]]
"""A kind of fact and what makes it one fact and not another."""


def apply(
    payment: Payment, webhook: PaymentWebhook | OrderWebhook, orders: OrdersPolicy = "optional"
) -> tuple[Payment, OutcomeKind, tuple[Fact, ...]]:
    """The payment after the webhook, what became of the webhook, and what is true now that was not before."""
    tellable = tell_order(payment, webhook) if isinstance(webhook, OrderWebhook) else tell(payment, webhook)
    after, outcome = tellable
    return after, outcome, news(payment, after, webhook, orders)


def news(before: Payment, after: Payment, cause: Webhook, orders: OrdersPolicy) -> tuple[Fact, ...]:
    """What is true after and was not before."""
    known = truths(before, orders)
    return tuple(_announce(truth, before, after, cause) for truth in truths(after, orders) if truth not in known)


def truths(payment: Payment, orders: OrdersPolicy = "optional") -> tuple[Truth, ...]:
    """What can be said of the payment as it stands."""
    order = payment.order_id
    match payment.status:
        case "failed":
            return ((PaymentFailed, (order, registers.value(payment.told, "transaction_id") or "")),)
        case "waiting_for_deposit":
            return (_awaited(payment),)
        case "completed" | "partially_cancelled":
            return (*_paid(payment, orders), *_overpaid(payment), *_refunded(payment))
        case "cancelled":
            return ((PaymentCancelled, (order,)),)
        case _:
            return ()


def _awaited(payment: Payment) -> Truth:
    """A deposit that is awaited after it was made was taken back."""
    if registers.value(payment.told, "deposited"):
        return DepositReversed, (payment.order_id, str(payment.told["status"][0][1]))
    return DepositAwaited, (payment.order_id,)


def _paid(payment: Payment, orders: OrdersPolicy) -> tuple[Truth, ...]:
    """A known mismatch is told instead of the success."""
    if payment.mismatched:
        key = (payment.order_id, payment.live[0] if payment.live else payment.known("transaction_id") or "")
        return (AmountMismatched, key), (RefundRequested, key)
    if orders == "required" and not payment.is_checked:
        return ()
    return ((PaymentCompleted, (payment.order_id,)),)


def _overpaid(payment: Payment) -> tuple[Truth, ...]:
    return tuple((kind, (payment.order_id, extra)) for extra in payment.extra for kind in _of_extra(payment, extra))


def _of_extra(payment: Payment, extra: str) -> tuple[type[Fact], ...]:
    """Nobody can be asked to give back an amount nobody knows."""
    is_known = registers.value(payment.transactions[extra], "amount") is not None
    return (PaymentOverpaid, RefundRequested) if is_known else (PaymentOverpaid,)


def _refunded(payment: Payment) -> tuple[Truth, ...]:
    """Named by the total, so that an entry and the provider's own sum that tell of one refund are one fact."""
    total = payment.refunded_amount
    return ((PaymentRefunded, (payment.order_id, str(total))),) if total else ()


def _announce(truth: Truth, before: Payment, payment: Payment, cause: Webhook) -> Fact:
    kind, key = truth
    envelope = cause.envelope
    said = {
        "event_id": ids.fact_id(kind.__name__, *key),
        "caused_by": envelope.event_id,
        "mode": envelope.mode,
        "occurred_at": envelope.occurred_at,
        "received_at": envelope.received_at,
        "order_id": payment.order_id,
        "customer_id": registers.value(payment.told, "user_id"),
        **_told(payment),
        "refund_id": ids.fact_id("refund", *key),
        "refunded_amount": payment.refunded_amount or None,
        **_of_kind(kind, key, before, payment),
    }
    return kind(**{name: said[name] for name in kind.__struct_fields__ if name in said})


def _told(payment: Payment) -> dict[str, Any]:
    told = payment.told
    return {
        "provider": registers.value(told, "provider"),
        "amount": payment.known("amount"),
        "currency": payment.known("currency") or "KRW",
        "method": registers.value(told, "method"),
        "transaction_id": payment.known("transaction_id"),
        "paid_at": payment.known("paid_at"),
        "expected_amount": registers.value(payment.order, "amount"),
        "expected_currency": registers.value(payment.order, "currency"),
        "reason": registers.value(told, "failure_reason"),
    }


def _of_kind(kind: type[Fact], key: tuple[str, ...], before: Payment, payment: Payment) -> dict[str, Any]:
    """What a kind of fact says otherwise than the payment as a whole."""
    if kind is PaymentRefunded:
        return {"amount": payment.refunded_amount - before.refunded_amount}
    if kind is PaymentCancelled:
        at = payment.told["status"][0][1]
        return {"refunded_amount": payment.given_back, "cancelled_at": at or None}
    if key[-1] in payment.extra:
        told = payment.transactions[key[-1]]
        money = {"amount": registers.value(told, "amount"), "currency": registers.value(told, "currency") or "KRW"}
        return {**money, "transaction_id": key[-1], "reason": "overpaid"}
    return {"reason": "amount_mismatch"} if kind is RefundRequested else {}
