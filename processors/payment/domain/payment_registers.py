"""The registers of an order's payment: of each transaction, of the payment as a whole, and of the shop's order."""

from typing import NamedTuple

from stream.events import DisputeStatus, Micros, PaymentStatus
from stream.state.money import Money
from stream.state.registers import UNSET, Register, Registers


class StatedRegisters(Registers, frozen=True):
    """The registers that payment webhooks set. Amounts are in minor units, `paid_at` is in microseconds.

    `released_amount` was authorized and not captured.
    """

    status: Register[PaymentStatus] = UNSET
    provider: Register[str] = UNSET
    method: Register[str] = UNSET
    transaction_id: Register[str] = UNSET
    pg_transaction_id: Register[str] = UNSET
    amount: Register[int] = UNSET
    currency: Register[str] = UNSET
    failure_reason: Register[str] = UNSET
    paid_at: Register[Micros] = UNSET
    released_amount: Register[int] = UNSET

    @property
    def money(self) -> Money | None:
        return _money(self.amount, self.currency)


class TransactionRegisters(StatedRegisters, frozen=True):
    """The registers of one attempt to pay. `refunded_amount` is the highest refunded total ever stated."""

    refunded_amount: Register[int] = UNSET


class PaymentRegisters(StatedRegisters, frozen=True):
    """The registers of the payment as a whole; those inherited have the values of the last webhook that states them.

    `transaction` is the id of the last transaction, `deposited` is True once any was `completed`.
    """

    transaction: Register[str] = UNSET
    deposited: Register[bool] = UNSET
    user_id: Register[str] = UNSET


class OrderRegisters(Registers, frozen=True):
    """The amount, in minor units, and the currency that the shop's order states."""

    amount: Register[int] = UNSET
    currency: Register[str] = UNSET

    @property
    def money(self) -> Money | None:
        return _money(self.amount, self.currency)


class DisputeRegisters(Registers, frozen=True):
    """The registers of one dispute. `amount` is in minor units, `evidence_due_by` in microseconds.

    `funds` says where the disputed amount is: `withdrawn` or `reinstated`.
    """

    status: Register[DisputeStatus] = UNSET
    provider: Register[str] = UNSET
    reason: Register[str] = UNSET
    amount: Register[int] = UNSET
    currency: Register[str] = UNSET
    evidence_due_by: Register[Micros] = UNSET
    transaction_id: Register[str] = UNSET
    funds: Register[str] = UNSET


class CancelledAmount(NamedTuple):
    """A cancel of a transaction, whole or in part: the amount in minor units, and the transaction's id."""

    amount: int
    transaction: str


NO_TRANSACTION = TransactionRegisters()
NO_REGISTERS = PaymentRegisters()


def _money(amount: Register[int], currency: Register[str]) -> Money | None:
    return None if amount.value is None else Money(amount.value, currency.value)
