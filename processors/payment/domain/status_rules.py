"""The rules by which a payment has another status than the one that its webhooks state."""

from collections.abc import Callable, Mapping
from typing import Protocol

from processors.payment.domain.payment_registers import NO_TRANSACTION, PaymentRegisters, TransactionRegisters
from processors.payment.domain.transactions.refund_totals import NO_REFUNDS, RefundTotals
from stream.events import PaymentStatus
from stream.state.registers import UNSET


class RuledPayment(Protocol):
    """The part of a `Payment` that the rules read.

    It stands in for `Payment`, which this module cannot import: `Payment.status` is made by these rules.
    """

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


def has_live_transaction(payment: RuledPayment) -> bool:
    """Return whether a transaction pays the order, although the last one is cancelled."""
    return bool(payment.live)


def awaits_second_payment(payment: RuledPayment) -> bool:
    """Return whether a transaction pays the order, while the last one, which has an id, awaits its deposit."""
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


def by_payer(payment: RuledPayment) -> PaymentStatus | None:
    """Return the status of the transaction that pays the order, after the rules for that status."""
    return apply(payment, payment.transactions[payment.live[0]].status.value)


def by_refunds(payment: RuledPayment) -> PaymentStatus:
    """Return the status by how much of the amount paid is refunded: nothing, a part or all of it."""
    if not payment.refunded_amount:
        return "completed"
    return "cancelled" if payment.refunded_amount >= payment.total_paid else "partially_cancelled"


Rule = tuple[Callable[[RuledPayment], bool], Callable[[RuledPayment], PaymentStatus | None]]
"""A condition, and the status of a payment that meets it."""

RULES: Mapping[PaymentStatus, tuple[Rule, ...]] = {
    "waiting_for_deposit": ((awaits_second_payment, by_payer),),
    "completed": ((has_own_refunds, by_refunds),),
    "partially_cancelled": ((has_failed_refund, by_refunds), (is_refunded, by_refunds)),
    "cancelled": ((has_live_transaction, by_payer), (has_failed_refund, by_refunds)),
}
"""By the status that the webhooks state: the rules, of which the first whose condition holds decides.

Without one, the payment's status is the stated one.
"""


def apply(payment: RuledPayment, stated: PaymentStatus | None) -> PaymentStatus | None:
    """Return the status of a payment whose webhooks state the status `stated`; None before any webhook."""
    if stated is None:
        return None
    for holds, status in RULES.get(stated, ()):
        if holds(payment):
            return status(payment)
    return stated


def _has_total(payment: RuledPayment) -> bool:
    """Return whether the provider states the refunded total of the current transaction."""
    return payment.transactions.get(payment.current, NO_TRANSACTION).refunded_amount is not UNSET
