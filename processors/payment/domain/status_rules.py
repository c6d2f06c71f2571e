"""The rules by which a payment has another status than the one that its webhooks state."""

from collections.abc import Callable, Mapping
from typing import Protocol

from processors.payment.domain.payment_registers import NO_TRANSACTION, PaymentRegisters, TransactionRegisters
from processors.payment.domain.transactions.refund_totals import NO_REFUNDS, RefundTotals
from stream.events import PaymentStatus
from stream.state.registers import UNSET


class RuledPayment(Protocol):
    """The part of a `Payment` that the rules read."""

    @property
    def registers(self) -> PaymentRegisters: ...
    @property
    def transactions(self) -> Mapping[str, TransactionRegisters]: ...
    @property
    def live(self) -> list[str]: ...
    @property
    def current(self) -> str: ...
    @property
    def refunds(self) -> RefundTotals: ...
    @property
    def refunded_amount(self) -> int: ...
    @property
    def total_paid(self) -> int: ...


def is_paid(payment: RuledPayment) -> bool:
    """Return whether a transaction pays the order, although the last one is cancelled."""
    return bool(payment.live)


def is_paid_by_another(payment: RuledPayment) -> bool:
    """Return whether a transaction pays the order, while the last one, which is named, awaits its deposit."""
    return bool(payment.registers.transaction.value and payment.live)


def is_refunded(payment: RuledPayment) -> bool:
    """Return whether all that was paid is refunded; False if the amount paid is unknown."""
    return 0 < payment.total_paid <= payment.refunded_amount


def has_own_refunds(payment: RuledPayment) -> bool:
    """Return whether only the refunds' own webhooks state what was refunded, and the amount paid is known."""
    if payment.refunds is NO_REFUNDS or _has_total(payment):
        return False
    return bool(payment.refunds.reported_of(payment.current)) and payment.total_paid > 0


def has_failed_refund(payment: RuledPayment) -> bool:
    """Return whether a refund failed that the provider's total had counted, and the amount paid is known."""
    if payment.refunds is NO_REFUNDS or not _has_total(payment):
        return False
    return payment.refunds.failures_of(payment.current) > 0 and payment.total_paid > 0


def of_payer(payment: RuledPayment) -> PaymentStatus | None:
    """Return the status of the transaction that pays the order."""
    return payment.transactions[payment.live[0]].status.value


def by_rules_of_payer(payment: RuledPayment) -> PaymentStatus | None:
    """Return the status that these rules give a payment whose webhooks state the status of the paying transaction."""
    return apply(payment, of_payer(payment))


def by_refunds(payment: RuledPayment) -> PaymentStatus:
    """Return the status by how much of the amount paid is refunded: nothing, a part or all of it."""
    if not payment.refunded_amount:
        return "completed"
    return "cancelled" if payment.refunded_amount >= payment.total_paid else "partially_cancelled"


def cancelled(_: RuledPayment) -> PaymentStatus:
    """Return `cancelled`."""
    return "cancelled"


Condition = Callable[[RuledPayment], bool]
Outcome = Callable[[RuledPayment], PaymentStatus | None]

RULES: tuple[tuple[PaymentStatus, Condition, Outcome], ...] = (
    ("waiting_for_deposit", is_paid_by_another, by_rules_of_payer),
    ("completed", has_own_refunds, by_refunds),
    ("partially_cancelled", has_failed_refund, by_refunds),
    ("partially_cancelled", is_refunded, cancelled),
    ("cancelled", is_paid, by_rules_of_payer),
    ("cancelled", has_failed_refund, by_refunds),
)
"""The status that the webhooks state, a condition, and the payment's status. The first rule that applies decides.

Without one, the payment's status is the stated one.
"""

_BY_STATUS: Mapping[PaymentStatus | None, list[tuple[Condition, Outcome]]] = {
    status: [rule[1:] for rule in RULES if rule[0] == status] for status, _, _ in RULES
}


def apply(payment: RuledPayment, stated: PaymentStatus | None) -> PaymentStatus | None:
    """Return the status of a payment whose webhooks state the status `stated`; None before any webhook."""
    for holds, status in _BY_STATUS.get(stated, ()):
        if holds(payment):
            return status(payment)
    return stated


def _has_total(payment: RuledPayment) -> bool:
    """Return whether the provider states the refunded total of the current transaction."""
    return payment.transactions.get(payment.current, NO_TRANSACTION).refunded_amount is not UNSET
