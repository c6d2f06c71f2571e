"""The transactions that hold the customer's money, and which of them pays the order."""

from collections.abc import Mapping

from processors.payment.domain.payment_registers import OrderRegisters, PaymentRegisters, TransactionRegisters
from processors.payment.domain.statuses import LIVE
from processors.payment.domain.transactions import transaction_log
from processors.payment.domain.transactions.transaction_log import TransactionLog
from stream.state.money import Money


def ids(
    transactions: Mapping[str, TransactionRegisters],
    log: TransactionLog,
    payment: PaymentRegisters,
    order: OrderRegisters,
) -> list[str]:
    """Return the ids of the transactions that hold the customer's money, the one that pays the order first.

    The order is paid by the earliest transaction of the amount that the shop's order states, else by the earliest of
    another amount. One of amount 0 comes after others, because it took nothing. A cancel that names no
    transaction ends all that were paid before it. `payment` holds the registers of the payment as a whole.
    """
    paid_ever = [(id_, state) for id_, state in transactions.items() if state.status.value in LIVE]
    if not paid_ever:
        return []
    cancelled_at = _cancelled_at(log, payment)
    paid = [(id_, state) for id_, state in paid_ever if state.status.stamp.at > cancelled_at]
    if len(paid) > 1:
        ordered = order.money
        paid.sort(key=lambda transaction: _precedence(transaction[0], transaction[1], ordered))
    return [id_ for id_, _ in paid]


def _precedence(id_: str, state: TransactionRegisters, ordered: Money | None) -> tuple[bool, bool, int, str]:
    is_other_amount = ordered is not None and state.money not in (None, ordered)
    return is_other_amount, state.amount.value == 0, state.status.stamp.at, id_


def _cancelled_at(log: TransactionLog, payment: PaymentRegisters) -> int:
    """Return the time of the last cancel that names no transaction, in microseconds; -1 if there is none.

    Orders that were cancelled before the log was introduced have only the register.
    """
    ends = [change.at for change in log.changes if change.status == "cancelled" and not change.transaction]
    if payment.status.value == "cancelled" and not payment.transaction.value:
        ends.append(payment.status.stamp.at or transaction_log.END_OF_TIME)
    return max(ends, default=-1)
