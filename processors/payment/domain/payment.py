"""All that was told of one order's payment: registers for what is one thing, entries for what may be several."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stream import registers
from stream.events import OrderWebhook, OutcomeKind, PaymentNotice, PaymentWebhook
from stream.registers import Stamp, Told

TRANSITIONS = (
    ("pending",),
    ("failed", "expired"),
    ("waiting_for_deposit", "completed"),
    ("partially_cancelled",),
    ("cancelled",),
)
"""A status may follow those of its own tier and of the tiers above it; what comes later than its turn is `late`.

A deposit is awaited, made, and may be taken back by the bank (Toss: DONE → WAITING_FOR_DEPOSIT): one tier, so that the
later of the two holds.
"""

PAID = ("completed", "partially_cancelled", "cancelled")
LIVE = ("completed", "partially_cancelled")


@dataclass(frozen=True, slots=True)
class Payment:
    """`transactions` are the ways it was tried or paid, `cancels` what was given back of it, `order` what it should be.

    A cancel's entry is (amount in minor units, its transaction); a transaction may also hold `refunded_amount`, all
    that the provider says was given back of it so far.
    """

    order_id: str
    version: int = 0
    told: Told = field(default_factory=dict)
    transactions: Mapping[str, Told] = field(default_factory=dict)
    cancels: Told = field(default_factory=dict)
    order: Told = field(default_factory=dict)

    @property
    def status(self) -> str | None:
        """The status told last by rank and time, seen together with the entries.

        A part given back that is all of it is a cancel; and a cancel of one transaction leaves the order paid when
        another transaction has paid it.
        """
        status: str | None = registers.value(self.told, "status")
        if status == "cancelled" and registers.value(self.told, "transaction") and self.live:
            status = registers.value(self.transactions[self.live[0]], "status")
        if status == "partially_cancelled" and 0 < self._total <= self.refunded_amount:
            return "cancelled"
        return status

    @property
    def live(self) -> list[str]:
        """The transactions that hold the customer's money: first what pays the order, as it asks or else first."""
        asked = _money(self.order)
        paid = [
            (asked is not None and _money(told) not in (None, asked), told["status"][0][1], name)
            for name, told in self.transactions.items()
            if _status(told) in LIVE
        ]
        return [name for *_, name in sorted(paid)]

    @property
    def extra(self) -> list[str]:
        """The transactions that paid what was paid already."""
        return self.live[1:]

    def known(self, name: str) -> Any:
        """What was told of the transaction that pays the order; where it says nothing, or none does, what was told."""
        told = self.transactions[self.live[0]] if self.live else {}
        value = registers.value(told, name)
        return registers.value(self.told, name) if value is None else value

    @property
    def refunded_amount(self) -> int:
        """What was given back, in minor units: for each transaction its entries, or the provider's own sum if more."""
        totals: dict[str, int] = {}
        for _, (amount, transaction) in self.cancels.values():
            totals[transaction] = totals.get(transaction, 0) + amount
        for name, told in self.transactions.items():
            totals[name] = max(totals.get(name, 0), registers.value(told, "refunded_amount") or 0)
        return sum(totals.values())

    @property
    def given_back(self) -> int | None:
        """What a cancel gave back: all of the payment unless a part is told; None where the provider says nothing."""
        told = self.transactions.get(registers.value(self.told, "transaction") or "", {})
        if self.refunded_amount or registers.value(told, "refunded_amount") == 0:
            return self.refunded_amount or None
        amount: int | None = registers.value(self.told, "amount")
        return amount

    @property
    def mismatched(self) -> bool:
        """Whether what was paid is known to differ from what the order asks for."""
        paid, asked = self._paid, _money(self.order)
        return self.status in PAID and paid is not None and asked is not None and paid != asked

    @property
    def is_checked(self) -> bool:
        """Whether both the order's amount and the payment's are known."""
        return self._paid is not None and _money(self.order) is not None

    @property
    def _total(self) -> int:
        """All that was paid, by however many transactions, in minor units; 0 where nobody says."""
        amounts = [registers.value(self.transactions[name], "amount") or 0 for name in self.live]
        return sum(amounts) or registers.value(self.told, "amount") or 0

    @property
    def _paid(self) -> tuple[int, str] | None:
        """Amount and currency of the transaction that pays the order."""
        first = _money(self.transactions[self.live[0]]) if self.live else None
        return first or _money(self.told)


def tell(payment: Payment, webhook: PaymentWebhook) -> tuple[Payment, OutcomeKind]:
    """The payment after a webhook of a payment provider."""
    notice, envelope = webhook.notice, webhook.envelope
    when = registers.stamp(TRANSITIONS, notice.status, envelope.occurred_at, envelope.event_id)
    transaction = notice.pg_transaction_id or notice.transaction_id or ""
    said = {
        "status": notice.status,
        "transaction": transaction,
        "provider": envelope.provider,
        "method": notice.method,
        "transaction_id": notice.transaction_id,
        "pg_transaction_id": notice.pg_transaction_id,
        "amount": notice.amount,
        "currency": None if notice.amount is None else notice.currency,
        "failure_reason": notice.failure_reason,
        "paid_at": notice.paid_at,
        "deposited": True if notice.status == "completed" else None,
        "user_id": notice.user_id,
    }
    outcome: OutcomeKind = "late" if registers.is_behind(payment.told, when) else "processed"
    after = replace(
        payment,
        version=payment.version + 1,
        told=registers.tell(payment.told, when, said),
        transactions=_with_transaction(payment.transactions, transaction, notice, when),
        cancels=_with_cancels(payment.cancels, transaction, notice),
    )
    return after, outcome


def tell_order(payment: Payment, webhook: OrderWebhook) -> tuple[Payment, OutcomeKind]:
    """The payment after the shop told the order."""
    notice, envelope = webhook.notice, webhook.envelope
    when = (0, envelope.occurred_at or envelope.received_at, 0, envelope.event_id)
    asked = registers.tell(payment.order, when, {"amount": notice.amount, "currency": notice.currency})
    return replace(payment, order=asked), "processed"


def merge(payment: Payment, other: Payment) -> Payment:
    """What was told of both: an order's payment, and what was told before anybody knew that it was this order's."""
    names = sorted({*payment.transactions, *other.transactions})
    return replace(
        payment,
        version=payment.version + other.version,
        told=registers.merge(payment.told, other.told),
        transactions={
            name: registers.merge(payment.transactions.get(name, {}), other.transactions.get(name, {}))
            for name in names
        },
        cancels=registers.merge(payment.cancels, other.cancels),
    )


def _with_transaction(known: Mapping[str, Told], name: str, notice: PaymentNotice, when: Stamp) -> Mapping[str, Told]:
    """A webhook that names no transaction is of none, unless it says how much was given back in all."""
    refunded = notice.refunded_amount
    if not name and refunded is None:
        return known
    told = known.get(name, {})
    if name:
        said = {
            "status": notice.status,
            "transaction_id": notice.transaction_id,
            "pg_transaction_id": notice.pg_transaction_id,
            "amount": notice.amount,
            "currency": None if notice.amount is None else notice.currency,
            "paid_at": notice.paid_at,
        }
        told = registers.tell(told, when, said)
    if refunded is not None:
        told = registers.tell(told, (refunded, 0, 0, ""), {"refunded_amount": refunded})
    return {**known, name: told}


def _with_cancels(known: Told, transaction: str, notice: PaymentNotice) -> Told:
    for cancel in notice.cancels:
        stamp = (cancel.amount, cancel.cancelled_at or 0, 0, transaction)
        known = registers.tell(known, stamp, {cancel.id: (cancel.amount, transaction)})
    return known


def _status(told: Told) -> str | None:
    status: str | None = registers.value(told, "status")
    return status


def _money(told: Told) -> tuple[int, str] | None:
    amount = registers.value(told, "amount")
    return None if amount is None else (amount, registers.value(told, "currency"))
