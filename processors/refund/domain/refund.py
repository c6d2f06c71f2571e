"""The state of one refund: its registers, and each time that it was completed or rejected."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from processors.refund.domain.statuses import ENDS
from stream.events import RefundStatus
from stream.state import registers
from stream.state.money import Money
from stream.state.registers import UNSET, Register, Registers


class RefundRegisters(Registers, frozen=True):
    """The registers of one refund. `amount` is in minor units, `crypto_amount` a decimal; times are in microseconds.

    `rejection` is why it was rejected, `reason` why it was requested. `reported_by_payment` is True if webhooks of the
    payment state the refund too, and UNSET otherwise.
    """

    status: Register[RefundStatus] = UNSET
    amount: Register[int] = UNSET
    currency: Register[str] = UNSET
    crypto_amount: Register[str] = UNSET
    crypto_asset: Register[str] = UNSET
    rejection: Register[str] = UNSET
    reason: Register[str] = UNSET
    refunded_at: Register[int] = UNSET
    provider: Register[str] = UNSET
    reported_by_payment: Register[bool] = UNSET


class End(NamedTuple):
    """A refund reached one of ENDS at this time, in microseconds; 0 if it is unknown. Instances sort by time."""

    at: int
    status: str


@dataclass(frozen=True, slots=True)
class Refund:
    """The state of one refund.

    The keys of `ends` are the completions and rejections of the refund, several if a bank returned a completed refund.
    The values are always True.
    """

    registers: RefundRegisters = field(default_factory=RefundRegisters)
    ends: Mapping[End, Register[bool]] = field(default_factory=dict)

    @property
    def status(self) -> RefundStatus | None:
        return self.registers.status.value

    @property
    def money(self) -> Money | None:
        """The amount of the refund, completed or not; None if none is stated, as for a refund in crypto."""
        amount, currency = self.registers.amount.value, self.registers.currency.value
        return None if amount is None else Money(amount, currency)

    @property
    def processed_at(self) -> int | None:
        """The time of the refund's status, in microseconds; None if no event with this status states a time."""
        status, at = self.registers.status.stamp, self.registers.refunded_at
        return at.value if (at.stamp.rank, at.stamp.tier_index) == (status.rank, status.tier_index) else None

    @property
    def reason(self) -> str | None:
        """The reason of the rejection if the refund is rejected and states one; else that of the request, or None."""
        requested = self.registers.reason.value
        return (self.registers.rejection.value or requested) if self.status == "rejected" else requested

    @classmethod
    def load(cls, stored: str) -> Self:
        """Return the refund whose `dump` is `stored`."""
        ends = {
            End(int(at), status): register
            for status in ENDS
            if f'"{status}@' in stored
            for at, register in registers.load_prefixed(stored, f"{status}@", bool).items()
        }
        return cls(registers.load(RefundRegisters, stored), ends)

    def dump(self) -> str:
        """Return the refund's registers as JSON, for a column."""
        return registers.dump(self.registers, {f"{end.status}@{end.at}": self.ends[end] for end in self.ends})
