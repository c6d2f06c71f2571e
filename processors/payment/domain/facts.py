"""What can be said of a payment as it stands, and what of it is news."""

from typing import Any, Literal

from processors.payment.domain import dispute, entries
from processors.payment.domain.payment import Payment, misfit
from processors.payment.domain.tell import tell
from stream.events import (
    AmountMismatched,
    DepositAwaited,
    DepositReversed,
    DisputeWebhook,
    DomainEvent,
    OrderWebhook,
    OutcomeKind,
    PaymentCancelled,
    PaymentCompleted,
    PaymentFailed,
    PaymentOverpaid,
    PaymentRefunded,
    PaymentWebhook,
    RefundMismatched,
    RefundRequested,
    RefundWebhook,
    Webhook,
    ids,
)
from stream.state import registers

OrdersPolicy = Literal["optional", "required"]
"""Whether a success is told at once, or only when the shop's order is known and its amount agrees."""

Truth = tuple[type[DomainEvent], tuple[str, ...]]
"""A kind of fact and what makes it one fact and not another."""


def apply(
    payment: Payment,
    webhook: PaymentWebhook | DisputeWebhook | RefundWebhook | OrderWebhook,
    orders: OrdersPolicy = "optional",
) -> tuple[Payment, OutcomeKind, tuple[DomainEvent, ...]]:
    """The payment after the webhook, what became of the webhook, and what is true now that was not before."""
    after, outcome = tell(payment, webhook)
    return after, outcome, news(payment, after, webhook, orders)


def news(before: Payment, after: Payment, cause: Webhook, orders: OrdersPolicy) -> tuple[DomainEvent, ...]:
    """What is true after and was not before."""
    if not (true := truths(after, orders)):
        return ()
    known = truths(before, orders)
    new = [truth for truth in true if truth not in known]
    return tuple(
        dispute.announce(truth, after, cause) if truth[0] in dispute.FACTS else _announce(truth, before, after, cause)
        for truth in new
    )


def truths(payment: Payment, orders: OrdersPolicy = "optional") -> tuple[Truth, ...]:
    """What can be said of the payment as it stands."""
    order = payment.order_id
    match payment.status:
        case "failed":
            said: tuple[Truth, ...] = (_failed(payment),)
        case "waiting_for_deposit":
            said = (_awaited(payment),)
        case "completed" | "partially_cancelled":
            said = (*_paid(payment, orders), *_overpaid(payment), *_refunded(payment))
        case "cancelled":
            said = ((PaymentCancelled, (order, *_again(payment))),)
        case _:
            said = ()
    mismatched = _mismatched_refunds(payment) if payment.claims or payment.transactions else ()
    return (*said, *mismatched, *dispute.truths(payment))


def _failed(payment: Payment) -> Truth:
    """A transaction may be tried again, with another card: each attempt after the first is told by its number."""
    transaction = registers.value(payment.told, "transaction_id") or ""
    times = entries.attempts(payment.entries, transaction)
    return PaymentFailed, (payment.order_id, transaction, *((str(times),) if times > 1 else ()))


def _again(payment: Payment) -> tuple[str, ...]:
    """Return the number that distinguishes a further payment of the order, or one after a failed refund."""
    again = max(payment.occasions.paid - 1, 0) + payment.failed_refunds
    return (str(again + 1),) if again else ()


def _awaited(payment: Payment) -> Truth:
    """A deposit that is awaited after it was made was taken back."""
    if registers.value(payment.told, "deposited"):
        return DepositReversed, (payment.order_id, str(payment.occasions.reversed))
    return DepositAwaited, (payment.order_id,)


def _paid(payment: Payment, orders: OrdersPolicy) -> tuple[Truth, ...]:
    """A known mismatch is told instead of the success. What took nothing cannot be given back."""
    if payment.mismatched:
        transaction = payment.live[0] if payment.live else payment.known("transaction_id") or ""
        kinds = (AmountMismatched, RefundRequested) if payment.known("amount") else (AmountMismatched,)
        return tuple((kind, (payment.order_id, transaction, *_again(payment))) for kind in kinds)
    if orders == "required" and not payment.is_checked:
        return ()
    return ((PaymentCompleted, (payment.order_id, *_again(payment))),)


def _overpaid(payment: Payment) -> tuple[Truth, ...]:
    return tuple((kind, (payment.order_id, extra)) for extra in payment.extra for kind in _of_extra(payment, extra))


def _of_extra(payment: Payment, extra: str) -> tuple[type[DomainEvent], ...]:
    """Nobody can be asked to give back an amount nobody knows."""
    is_known = registers.value(payment.transactions[extra], "amount") is not None
    return (PaymentOverpaid, RefundRequested) if is_known else (PaymentOverpaid,)


def _refunded(payment: Payment) -> tuple[Truth, ...]:
    """Named by the total, so that an entry and the provider's own sum that tell of one refund are one fact.

    Refunds that failed count in the name: the same total after one is another refund's.
    """
    if not payment.refunded_amount:
        return ()
    return ((PaymentRefunded, (payment.order_id, str(payment.refunded_amount + payment.failed_amount))),)


def _mismatched_refunds(payment: Payment) -> tuple[Truth, ...]:
    """Cancels that are not of this order's payment, and transactions of which more is given back than was paid."""
    waiting = [
        (payment.order_id, claim.provider, claim.transaction, misfit(payment.parts, claim) or "")
        for claim in payment.waiting
    ]
    excessive = [(payment.order_id, name, str(payment.claimed_of(name))) for name in payment.excessive]
    return tuple((RefundMismatched, key) for key in (*waiting, *excessive))


def _announce(truth: Truth, before: Payment, payment: Payment, cause: Webhook) -> DomainEvent:
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
    return {
        "provider": payment.known("provider"),
        "amount": payment.known("amount"),
        "currency": payment.known("currency") or "KRW",
        "method": payment.known("method"),
        "transaction_id": payment.known("transaction_id"),
        "paid_at": payment.paid_at,
        "expected_amount": registers.value(payment.order, "amount"),
        "expected_currency": registers.value(payment.order, "currency"),
        "reason": payment.failure_reason,
        "released_amount": payment.known("released_amount"),
    }


def _of_kind(kind: type[DomainEvent], key: tuple[str, ...], before: Payment, payment: Payment) -> dict[str, Any]:
    """What a kind of fact says otherwise than the payment as a whole."""
    if kind is PaymentCompleted:
        failed = payment.failed_refunds > before.failed_refunds and before.version > 0
        return {"reason": "refund_failed"} if failed else {"reason": None}
    if kind is PaymentRefunded:
        now = payment.refunded_amount - before.refunded_amount
        return {"amount": now if now > 0 else payment.refunded_amount}
    if kind is PaymentCancelled:
        at = payment.told["status"][0][1]
        return {"refunded_amount": payment.given_back, "cancelled_at": at or None}
    if kind is RefundMismatched:
        return _of_mismatch(key, payment)
    if kind in (PaymentOverpaid, RefundRequested) and key[1] in payment.extra:
        told = payment.transactions[key[1]]
        money = {"amount": registers.value(told, "amount"), "currency": registers.value(told, "currency") or "KRW"}
        released = registers.value(told, "released_amount")
        return {**money, "transaction_id": key[1], "reason": "overpaid", "released_amount": released}
    return {"reason": "amount_mismatch"} if kind is RefundRequested else {}


def _of_mismatch(key: tuple[str, ...], payment: Payment) -> dict[str, Any]:
    """A cancel's key has its provider, transaction and reason; that of too large a refund its transaction and sum."""
    paid = {"paid_amount": payment.known("amount"), "paid_currency": payment.known("currency"), "refund_id": None}
    if len(key) == len(("order", "transaction", "sum")):
        told = payment.transactions[key[1]]
        return {
            "provider": registers.value(told, "provider") or payment.known("provider"),
            "transaction_id": key[1] or None,
            "amount": int(key[2]),
            "currency": registers.value(told, "currency") or "KRW",
            "paid_amount": registers.value(told, "amount"),
            "paid_currency": registers.value(told, "currency"),
            "refund_id": None,
            "reason": "exceeds_payment",
        }
    _, provider, transaction, reason = key
    claim = payment.claims[f"{provider}\n{transaction}"]
    cancelled = sum(amount for _, (amount, _) in claim.parts.cancels.values())
    amount = cancelled or registers.value(claim.parts.told, "amount")
    currency = registers.value(claim.parts.told, "currency") or "KRW"
    said = {"provider": provider, "transaction_id": transaction or None, "amount": amount, "currency": currency}
    return {**paid, **said, "reason": reason}
