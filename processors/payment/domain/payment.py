"""The state of one order's payment: registers for single values, and a log for what may happen several times.

Single values are the status, the amount and the like; the log (column `entries`) holds status changes and refunds.
"""

from collections.abc import Mapping
from typing import TypeVar

import msgspec
from msgspec.structs import astuple

from processors.payment.domain import status_rules
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
from processors.payment.domain.statuses import FAILED, PAID, PAID_RANK
from processors.payment.domain.transactions import live_transactions, refund_totals, transaction_log
from processors.payment.domain.transactions.cancel_claims import CancelClaim, Parts, mismatch_reason
from processors.payment.domain.transactions.refund_totals import RefundTotals
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
        """The status of the highest rank and then the latest time, or another one by `status_rules.RULES`.

        None before any webhook of the payment.
        """
        return status_rules.apply(self, self.registers.status.value)

    @derived
    def live(self) -> list[str]:
        """The ids of the transactions that hold the customer's money, the one that pays the order first."""
        return live_transactions.ids(self.transactions, self._log, self.registers, self.order)

    @property
    def extra_transactions(self) -> list[str]:
        """The ids of the live transactions besides the one that pays the order, without those of amount 0."""
        return [id_ for id_ in self.live[1:] if self.transactions[id_].amount.value != 0]

    @derived
    def current(self) -> str:
        """The transaction that pays the order, else the last one; empty when no transaction is known."""
        return self.live[0] if self.live else self.registers.transaction.value or ""

    @derived
    def stated(self) -> StatedRegisters:
        """The registers of the transaction that pays the order, or of the last transaction if none does.

        A field that the transaction lacks comes from the payment's own registers, unless it was stated of another
        transaction.
        """
        if not self.transactions:
            return self.registers
        current = self.transactions.get(self.current, NO_TRANSACTION)
        others = [astuple(state) for state in self.transactions.values() if state is not current and self.current]
        pairs = zip(astuple(current)[:STATED_FIELDS], astuple(self.registers)[:STATED_FIELDS], strict=True)
        return StatedRegisters(
            *[
                stated
                if stated is not UNSET or own is UNSET or any(other[index].stamp == own.stamp for other in others)
                else own
                for index, (stated, own) in enumerate(pairs)
            ]
        )

    @derived
    def total_paid(self) -> int:
        """The sum paid by all live transactions, in minor units; 0 if unknown."""
        amounts = [self.transactions[id_].amount.value or 0 for id_ in self.live]
        return sum(amounts) or self.stated.amount.value or 0

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

    def _is_of_status(self, register: Register[T]) -> bool:
        """Return whether a webhook with the payment's present status, the last or an earlier one, set the register."""
        status = self.registers.status.stamp
        return (register.stamp.rank, register.stamp.tier_index) == (status.rank, status.tier_index)
