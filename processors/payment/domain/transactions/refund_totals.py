"""The amounts refunded of a payment, as its cancels, its providers' totals and the refunds' own webhooks state them."""

from collections.abc import Mapping

import msgspec

from processors.payment.domain.payment_registers import NO_TRANSACTION, CancelledAmount, TransactionRegisters
from processors.payment.domain.transactions import transaction_log
from processors.payment.domain.transactions.transaction_log import RefundEntry, TransactionLog
from stream.state.derived import derived
from stream.state.registers import UNSET, Register


class RefundTotals(msgspec.Struct, frozen=True, dict=True):  # dict: for derived values
    """The refunds of one payment, made of its transactions, its cancels and its log. Amounts are in minor units."""

    transactions: Mapping[str, TransactionRegisters]
    cancels: Mapping[str, Register[CancelledAmount]]
    log: TransactionLog

    @derived
    def amount(self) -> int:
        """The amount refunded of all transactions, for each at most the amount that it paid."""
        return sum(self.amount_of(id_) for id_ in self._named)

    @derived
    def excessive(self) -> list[str]:
        """The ids of the transactions whose stated refunds exceed the amount that they are known to have paid."""
        amounts = ((id_, state.amount.value) for id_, state in self.transactions.items())
        return [id_ for id_, amount in amounts if amount is not None and self.stated_of(id_) > amount]

    @derived
    def failures(self) -> int:
        """The number of failed refunds, by the provider's totals or by the refunds' own webhooks."""
        return sum(self.failures_of(id_) for id_ in self._named)

    @derived
    def failed_amount(self) -> int:
        """The sum of failed refunds that counted as refunded before they failed; unknown amounts count as 0."""
        return sum(self._failed_amount_of(id_) for id_ in self._named)

    def amount_of(self, transaction: str) -> int:
        """Return the refunded amount of one transaction, at most the amount it paid if that is known."""
        amount = self._state(transaction).amount.value
        stated = self.stated_of(transaction)
        return min(stated, stated if amount is None else amount)

    def stated_of(self, transaction: str) -> int:
        """Return the refunded amount of a transaction as stated; it may exceed the amount paid.

        If the provider states totals, it is the highest total or, if that is more, the sum of the cancels; once a total
        went down, it is the last total. Refunds that failed since then, by their own webhooks, are subtracted. If the
        provider states no total, it is the sum of the cancels and of the completed refunds with webhooks of their own.
        """
        cancels = [register.value for register in self.cancels.values() if register.value]
        by_cancels = sum(cancel.amount for cancel in cancels if cancel.transaction == transaction)
        reported = self.reported_of(transaction)
        completed = sum(refund.amount for refund in reported if refund.status == "completed")
        highest = self._state(transaction).refunded_amount.value
        if highest is None:
            return by_cancels + completed
        totals = self.log.totals.get(transaction, [])
        last_at, last = totals[-1] if totals else (0, highest)
        total: int = last if transaction_log.count_drops(totals) else max(by_cancels, highest)
        if completed == total:
            return total
        failed = (
            refund.amount
            for refund in reported
            if refund.status == "rejected" and refund.at >= last_at and refund.amount <= total
        )
        return max(0, total - sum(failed))

    def reported_of(self, transaction: str) -> list[RefundEntry]:
        """Return the refunds of a transaction that have webhooks of their own, completed or not.

        The release of the amount that was authorized and not captured is left out. It is the first refund of that
        amount, because it is made at the capture, before anything can be refunded.
        """
        refunds = [refund for refund in self.log.refunds if self._transaction_of(refund) == transaction]
        released = self._state(transaction).released_amount.value
        same = [refund for refund in refunds if released and refund.amount == released]
        release = min(same, key=lambda refund: (refund.at, refund.id), default=None)
        return [refund for refund in refunds if refund is not release]

    def failures_of(self, transaction: str) -> int:
        """Return the number of failed refunds of a transaction: drops of its total, or rejected refunds if more."""
        rejected = sum(refund.status == "rejected" for refund in self.reported_of(transaction))
        return max(transaction_log.count_drops(self.log.totals.get(transaction, [])), rejected)

    @derived
    def _named(self) -> list[str]:
        """The transactions that may have refunds."""
        cancelled = {register.value.transaction for register in self.cancels.values() if register.value}
        return sorted({*cancelled, *self.transactions, *(self._transaction_of(refund) for refund in self.log.refunds)})

    def _state(self, transaction: str) -> TransactionRegisters:
        return self.transactions.get(transaction, NO_TRANSACTION)

    def _transaction_of(self, refund: RefundEntry) -> str:
        """Return the transaction of a refund, which may name it by any of its aliases."""
        known = [alias for alias in refund.aliases if alias in self.transactions]
        return (known or [*refund.aliases, ""])[0]

    def _failed_amount_of(self, transaction: str) -> int:
        highest = self._state(transaction).refunded_amount.value or 0
        rejected = sum(
            refund.amount
            for refund in self.reported_of(transaction)
            if refund.status == "rejected" and (refund.was_completed or refund.amount <= highest)
        )
        return max(rejected, transaction_log.sum_drops(self.log.totals.get(transaction, [])))


NO_REFUNDS = RefundTotals({}, {}, TransactionLog([], [], {}))
"""The refunds of a payment of which no webhook states a cancel or a refund. Most payments have none."""


def of(
    transactions: Mapping[str, TransactionRegisters],
    cancels: Mapping[str, Register[CancelledAmount]],
    log: TransactionLog,
) -> RefundTotals:
    """Return the refunds of a payment with these transactions, cancels and log; NO_REFUNDS if these state none."""
    if cancels or log.refunds or log.totals:
        return RefundTotals(transactions, cancels, log)
    has_totals = [state for state in transactions.values() if state.refunded_amount is not UNSET]
    return RefundTotals(transactions, cancels, log) if has_totals else NO_REFUNDS
