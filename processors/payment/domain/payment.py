"""The state of one order's payment: registers for single values, and a log for what may happen several times.

Single values are the status, the amount and the like; the log (column `entries`) holds status changes and refunds.
"""

from collections.abc import Mapping
from typing import TypeVar

import msgspec
from msgspec.structs import astuple

from processors.payment.domain.payment_registers import (
    NO_REGISTERS,
    NO_TRANSACTION,
    CancelledAmount,
    DisputeRegisters,
    OrderRegisters,
    PaymentRegisters,
    StatedRegisters,
    TransactionRegisters,
)
from processors.payment.domain.statuses import FAILED, LIVE, PAID, PAID_RANK
from processors.payment.domain.transactions import refund_totals, transaction_log
from processors.payment.domain.transactions.cancel_claims import CancelClaim, Parts, mismatch_reason
from processors.payment.domain.transactions.refund_totals import NO_REFUNDS, RefundTotals
from processors.payment.domain.transactions.transaction_log import Entries, PaidCounts, TransactionLog
from stream.events import Micros, OrderId, PaymentStatus
from stream.state.derived import derived
from stream.state.registers import UNSET, Register

T = TypeVar("T")

STATED_FIELDS = len(StatedRegisters.__struct_fields__)


class Payment(msgspec.Struct, frozen=True, dict=True):  # dict: for derived values
    """The payment of one order.

    `registers`, `transactions`, `cancels` and `entries` are the effective state: `base` merged with the claims that
    fit it. `base` is None while there is no claim; the effective state is then the base. `disputes` holds the state of
    each dispute by its id.
    """

    order_id: OrderId
    version: int = 0
    registers: PaymentRegisters = NO_REGISTERS
    transactions: Mapping[str, TransactionRegisters] = {}
    cancels: Mapping[str, Register[CancelledAmount]] = {}
    order: OrderRegisters = OrderRegisters()
    entries: Entries = {}
    base: Parts | None = None
    claims: Mapping[str, CancelClaim] = {}
    disputes: Mapping[str, DisputeRegisters] = {}

    @derived
    def status(self) -> PaymentStatus | None:
        """The status of the highest rank and then the latest time; None before any webhook of the payment.

        There are three exceptions:

        - If it is `waiting_for_deposit` or `cancelled` and another transaction has paid the order, the status is that
          of the transaction that pays (`live[0]`).
        - If a refund failed, or only the refunds' own webhooks state what was refunded, the refunded amount decides:
          `completed` if it is 0, `cancelled` if it is all that was paid, else `partially_cancelled`.
        - `partially_cancelled` is `cancelled` once all that was paid is refunded.
        """
        status = self.registers.status.value
        if status == "waiting_for_deposit" and self.registers.transaction.value and self.live:
            return self.transactions[self.live[0]].status.value
        if status == "cancelled" and self.live:
            status = self.transactions[self.live[0]].status.value
        if status in PAID and self._is_status_from_amounts(status):
            return self._status_from_amounts()
        if status == "partially_cancelled" and 0 < self._total_paid <= self.refunded_amount:
            return "cancelled"
        return status

    @derived
    def live(self) -> list[str]:
        """The names of the transactions that hold the customer's money, the one that pays the order first.

        The order is paid by the earliest transaction of the amount that the shop's order states, else by the earliest
        of another amount. One of amount 0 comes after others, because it took nothing. A cancel that names no
        transaction ends all that were paid before it.
        """
        paid_ever = [(name, state) for name, state in self.transactions.items() if state.status.value in LIVE]
        if not paid_ever:
            return []
        cancelled_at = self._cancelled_at()
        paid = [name for name, state in paid_ever if state.status.stamp.at > cancelled_at]
        return sorted(paid, key=self._precedence) if len(paid) > 1 else paid

    @property
    def extra(self) -> list[str]:
        """The names of the live transactions besides the one that pays the order, without those of amount 0."""
        return [name for name in self.live[1:] if self.transactions[name].amount.value != 0]

    @derived
    def stated(self) -> StatedRegisters:
        """The registers of the transaction that pays the order, or of the last transaction if none does.

        A field that the transaction lacks comes from the payment's own registers, unless it was stated of another
        transaction.
        """
        if not self.transactions:
            return self.registers
        current = self.transactions.get(self._current, NO_TRANSACTION)
        others = [astuple(state) for state in self.transactions.values() if state is not current and self._current]
        pairs = zip(astuple(current)[:STATED_FIELDS], astuple(self.registers)[:STATED_FIELDS], strict=True)
        return StatedRegisters(
            *[
                stated
                if stated is not UNSET or own is UNSET or any(other[at].stamp == own.stamp for other in others)
                else own
                for at, (stated, own) in enumerate(pairs)
            ]
        )

    @derived
    def paid_at(self) -> Micros | None:
        """The time of the payment in microseconds; None if unstated, and once the bank reversed the deposit.

        In a status of PAID, it is the time that webhooks of these statuses stated; in any other status, only a time
        stated with that status counts.
        """
        paid = self.stated.paid_at
        if paid.value is None:
            return None
        was_reversed = paid.stamp.rank == PAID_RANK and any(
            change.status == "waiting_for_deposit" and paid.stamp.at < change.at for change in self._log.changes
        )
        was_paid = self.status in PAID and paid.stamp.rank >= PAID_RANK
        return paid.value if (was_paid or self._is_of_status(paid)) and not was_reversed else None

    @property
    def failure_reason(self) -> str | None:
        """The reason that a webhook of the present status stated; None unless that status is in FAILED."""
        reason = self.stated.failure_reason
        return reason.value if self.status in FAILED and self._is_of_status(reason) else None

    @derived
    def refunds(self) -> RefundTotals:
        return refund_totals.of(self.transactions, self.cancels, self._log)

    @property
    def refunded_amount(self) -> int:
        """The amount refunded of all transactions in minor units, for each at most the amount that it paid."""
        return self.refunds.amount

    @property
    def cancelled_amount(self) -> int | None:
        """The amount that the cancel of a payment refunded, in minor units: the stated one, else the amount paid.

        None if neither is known, and if the provider states that nothing was refunded. Meant for a cancelled payment.
        """
        state = self.transactions.get(self.registers.transaction.value or "", NO_TRANSACTION)
        if self.refunded_amount or state.refunded_amount.value == 0:
            return self.refunded_amount or None
        return self.stated.amount.value

    @derived
    def mismatched(self) -> bool:
        """True if the order was paid with another amount or currency than its own; False while either is unknown."""
        paid, ordered = self.stated.money, self.order.money
        return self.status in PAID and paid is not None and ordered is not None and paid != ordered

    @property
    def is_checked(self) -> bool:
        """True if the amounts of the payment and of the shop's order are both known, whether or not they agree."""
        return self.stated.money is not None and self.order.money is not None

    @derived
    def paid_counts(self) -> PaidCounts:
        """The numbers of times that the order became paid and that a bank reversed its deposit, by the log."""
        return transaction_log.count_paid(self._log.changes)

    @derived
    def parts(self) -> Parts:
        """The state that all webhooks but those in `claims` made."""
        return self.base or Parts(self.registers, self.transactions, self.cancels, self.entries)

    @property
    def unpaid_entries(self) -> Entries:
        """The log of refunds that came before any payment, which the row of the order holds."""
        return {} if self.version else self.entries

    @property
    def waiting_claims(self) -> tuple[CancelClaim, ...]:
        """The claims that do not fit the order's payment and therefore do not count, sorted by their keys."""
        parts = self.parts
        return tuple(claim for _, claim in sorted(self.claims.items()) if mismatch_reason(parts, claim))

    @derived
    def _log(self) -> TransactionLog:
        return transaction_log.parse(self.entries)

    @derived
    def _current(self) -> str:
        """The transaction that pays the order, else the last one; empty when no transaction is known."""
        return self.live[0] if self.live else self.registers.transaction.value or ""

    def _is_of_status(self, register: Register[T]) -> bool:
        """Return whether a webhook with the payment's present status, the last or an earlier one, set the register."""
        status = self.registers.status.stamp
        return (register.stamp.rank, register.stamp.position) == (status.rank, status.position)

    def _is_status_from_amounts(self, status: str | None) -> bool:
        """Return whether the refunded amount overrides a status of PAID.

        It does when a refund failed, or when only the refunds' own webhooks state the refunded amount.
        """
        if self.refunds is NO_REFUNDS:
            return False
        current = self._current
        is_summed = self.transactions.get(current, NO_TRANSACTION).refunded_amount is not UNSET
        if status == "completed":
            return not is_summed and bool(self.refunds.reported_of(current)) and self._total_paid > 0
        return is_summed and self.refunds.failures_of(current) > 0 and self._total_paid > 0

    def _status_from_amounts(self) -> PaymentStatus:
        if not self.refunded_amount:
            return "completed"
        return "cancelled" if self.refunded_amount >= self._total_paid else "partially_cancelled"

    def _precedence(self, name: str) -> tuple[bool, bool, int, str]:
        """Return the sort key of a transaction in `live`."""
        state, ordered = self.transactions[name], self.order.money
        is_other_amount = ordered is not None and state.money not in (None, ordered)
        return is_other_amount, state.amount.value == 0, state.status.stamp.at, name

    def _cancelled_at(self) -> int:
        """Return the time of the last cancel that names no transaction, in microseconds; -1 if there is none.

        Orders that were cancelled before the log was introduced have only the register.
        """
        ends = [change.at for change in self._log.changes if change.status == "cancelled" and not change.transaction]
        status = self.registers.status
        if status.value == "cancelled" and not self.registers.transaction.value:
            ends.append(status.stamp.at or transaction_log.END_OF_TIME)
        return max(ends, default=-1)

    @derived
    def _total_paid(self) -> int:
        """The sum paid by all live transactions, in minor units; 0 if unknown."""
        amounts = [self.transactions[name].amount.value or 0 for name in self.live]
        return sum(amounts) or self.stated.amount.value or 0
