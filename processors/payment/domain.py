"""What a payment is after any set of webhooks, and what is true then. Pure; the same in whatever order they come."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from stream import ids, registers
from stream.events import (
    AmountMismatched,
    Fact,
    OrderWebhook,
    OutcomeKind,
    PaymentCancelled,
    PaymentCompleted,
    PaymentFailed,
    PaymentWebhook,
    RefundRequested,
    Webhook,
)
from stream.registers import Told

TRANSITIONS = (
    ("pending",),
    ("waiting_for_deposit",),
    ("failed", "expired"),
    ("completed",),
    ("partially_cancelled",),
    ("cancelled",),
)
"""A status may follow those of its own tier and of the tiers above it; what comes later than its turn is `late`."""

PAID = ("completed", "partially_cancelled", "cancelled")


@dataclass(frozen=True, slots=True)
class Payment:
    """All that was told of the payment of one order: of it, of each transaction, and of the order's own amount."""

    order_id: str
    version: int = 0
    told: Told = field(default_factory=dict)
    transactions: Mapping[str, Told] = field(default_factory=dict)
    order: Told = field(default_factory=dict)

    @property
    def status(self) -> str | None:
        status: str | None = registers.value(self.told, "status")
        return status

    @property
    def mismatched(self) -> bool:
        """Whether what was paid is known to differ from what the order asks for."""
        paid, asked = self._money(self.told), self._money(self.order)
        return self.status in PAID and paid is not None and asked is not None and paid != asked

    def _money(self, told: Told) -> tuple[int, str] | None:
        amount = registers.value(told, "amount")
        return None if amount is None else (amount, registers.value(told, "currency"))


Truth = tuple[type[Fact], tuple[str, ...]]
"""A kind of fact and what makes it one fact and not another."""


def apply(payment: Payment, webhook: PaymentWebhook | OrderWebhook) -> tuple[Payment, OutcomeKind, tuple[Fact, ...]]:
    """The payment after the webhook, what became of the webhook, and what is true now that was not before."""
    after, outcome = _tell_order(payment, webhook) if isinstance(webhook, OrderWebhook) else _tell(payment, webhook)
    news = [truth for truth in truths(after) if truth not in truths(payment)]
    return after, outcome, tuple(_announce(truth, after, webhook) for truth in news)


def truths(payment: Payment) -> tuple[Truth, ...]:
    """What can be said of the payment as it stands. A known mismatch is told instead of the success."""
    order = payment.order_id
    transaction = registers.value(payment.told, "transaction_id") or ""
    if payment.status == "failed":
        return ((PaymentFailed, (order, transaction)),)
    if payment.status == "completed":
        if payment.mismatched:
            return (AmountMismatched, (order, transaction)), (RefundRequested, (order, transaction))
        return ((PaymentCompleted, (order,)),)
    if payment.status == "cancelled":
        return ((PaymentCancelled, (order,)),)
    return ()


def _tell(payment: Payment, webhook: PaymentWebhook) -> tuple[Payment, OutcomeKind]:
    notice = webhook.notice
    when = registers.stamp(TRANSITIONS, notice.status, webhook.envelope.occurred_at, webhook.envelope.event_id)
    said = {
        "status": notice.status,
        "provider": webhook.envelope.provider,
        "method": notice.method,
        "transaction_id": notice.transaction_id,
        "pg_transaction_id": notice.pg_transaction_id,
        "amount": notice.amount,
        "currency": None if notice.amount is None else notice.currency,
        "failure_reason": notice.failure_reason,
        "paid_at": notice.paid_at,
    }
    transactions = dict(payment.transactions)
    if notice.transaction_id:
        entry = {name: said[name] for name in ("status", "amount", "currency", "paid_at")}
        transactions[notice.transaction_id] = registers.tell(transactions.get(notice.transaction_id, {}), when, entry)
    outcome: OutcomeKind = "late" if registers.is_behind(payment.told, when) else "processed"
    told = registers.tell(payment.told, when, said)
    return replace(payment, version=payment.version + 1, told=told, transactions=transactions), outcome


def _tell_order(payment: Payment, webhook: OrderWebhook) -> tuple[Payment, OutcomeKind]:
    notice, envelope = webhook.notice, webhook.envelope
    when = (0, envelope.occurred_at or envelope.received_at, 0, envelope.event_id)
    asked = registers.tell(payment.order, when, {"amount": notice.amount, "currency": notice.currency})
    return replace(payment, order=asked), "processed"


def _announce(truth: Truth, payment: Payment, cause: Webhook) -> Fact:
    kind, key = truth
    told, envelope = payment.told, cause.envelope
    said = {
        "event_id": ids.fact_id(kind.__name__, *key),
        "caused_by": envelope.event_id,
        "mode": envelope.mode,
        "occurred_at": envelope.occurred_at,
        "received_at": envelope.received_at,
        "order_id": payment.order_id,
        "provider": registers.value(told, "provider"),
        "amount": registers.value(told, "amount"),
        "currency": registers.value(told, "currency") or "KRW",
        "method": registers.value(told, "method"),
        "transaction_id": registers.value(told, "transaction_id"),
        "paid_at": registers.value(told, "paid_at"),
        "expected_amount": registers.value(payment.order, "amount"),
        "expected_currency": registers.value(payment.order, "currency"),
        "refund_id": ids.fact_id("refund", *key),
        "reason": "amount_mismatch" if kind is RefundRequested else registers.value(told, "failure_reason"),
    }
    return kind(**{name: said[name] for name in kind.__struct_fields__ if name in said})
