"""The state of a crypto invoice, and of a transfer that pays one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self, TypeVar

import msgspec

from processors.invoice.domain.invoice_registers import (
    EndRegisters,
    InvoiceRegisters,
    TransferRegisters,
    above_transfers,
)
from processors.invoice.domain.statuses import EXPIRING, TRANSITIONS, UNSUCCESSFUL
from stream.state import registers
from stream.state.registers import UNSET, Register

T = TypeVar("T")

MISMATCH = "amount_mismatch"

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Transfer:
    """The state of one transfer on a blockchain, including the invoice that it pays."""

    transaction_id: str
    version: int = 0
    registers: TransferRegisters = field(default_factory=TransferRegisters)

    @property
    def invoice_id(self) -> str | None:
        """The id of the invoice that the transfer pays; None until a webhook names both."""
        return self.registers.invoice_id.value


@dataclass(frozen=True, slots=True)
class Invoice:
    """The state of one invoice. `ends` holds, by each state of UNSUCCESSFUL, what webhooks of that state stated."""

    invoice_id: str
    version: int = 0
    registers: InvoiceRegisters = field(default_factory=InvoiceRegisters)
    ends: Mapping[str, EndRegisters] = field(default_factory=dict)

    @property
    def state(self) -> str | None:
        """The highest state in TRANSITIONS that a webhook stated; None while only a transfer is known."""
        return self.registers.state.value

    @property
    def reason(self) -> str | None:
        """The reason of the present state, UNKNOWN if none is stated; None unless that state is in UNSUCCESSFUL."""
        if self.state not in UNSUCCESSFUL:
            return None
        if (reason := self._end.reason.value) is not None:
            return reason
        older = self.registers.reason
        return older.value if older.stamp.rank == self.registers.state.stamp.rank else UNKNOWN

    @property
    def received_amount(self) -> str | None:
        """The crypto amount received, a decimal text; None if it is unstated or was stated of an overtaken end only.

        An overtaken end is a state of UNSUCCESSFUL that the invoice is no longer in.
        """
        return self._of_state(self._end.received_amount, self.registers.received_amount)

    @property
    def expected_amount(self) -> str | None:
        """The crypto amount expected, a decimal text; None in the cases in which `received_amount` is None."""
        return self._of_state(self._end.expected_amount, self.registers.expected_amount)

    @property
    def expired_at(self) -> int | None:
        """The time at which the invoice expires, in microseconds; None if it is unstated or the state has no expiry."""
        return self._of_state(self._end.expired_at, self.registers.expired_at) if self.state in EXPIRING else None

    @property
    def completed_at(self) -> int | None:
        """The time at which the invoice was completed, in microseconds; None if unstated, or if it is not complete."""
        return self._of_state(UNSET, self.registers.completed_at) if self.state == "Complete" else None

    @property
    def is_underpaid(self) -> bool:
        """True if the provider reported a complete invoice as underpaid, after its completion or at an unknown time."""
        failure = self.ends.get("Fail", EndRegisters()).reason
        if self.state != "Complete" or failure.value != MISMATCH:
            return False
        completed, failed = self.registers.state.stamp.at, failure.stamp.at
        return failed >= completed or not failed

    @classmethod
    def load(cls, invoice_id: str, version: int, stored: str) -> Self:
        """Return the invoice whose `dump` is `stored`."""
        ends = {state: _load_end(stored, state) for state in UNSUCCESSFUL if f':{state}"' in stored}
        return cls(invoice_id, version, registers.load(InvoiceRegisters, stored), ends)

    def dump(self) -> str:
        """Return the invoice's registers as one JSON object, for a column. Those in `ends` are named `name:State`."""
        ends = {
            f"{name}:{state}": register
            for state, end in self.ends.items()
            for name, register in msgspec.structs.asdict(end).items()
            if register is not UNSET
        }
        return registers.dump(self.registers, ends)

    @property
    def _end(self) -> EndRegisters:
        return self.ends.get(self.state or "", EndRegisters())

    def _of_state(self, own: Register[T], general: Register[T]) -> T | None:
        """Return the value stated of the present state, else the general one unless it belongs to an overtaken state.

        None without either. Older rows may hold fields of a state of UNSUCCESSFUL as general ones.
        """
        if own.value is not None:
            return own.value
        rank = general.stamp.rank
        return None if rank in _END_RANKS and rank != self.registers.state.stamp.rank else general.value


def _load_end(stored: str, state: str) -> EndRegisters:
    suffix = f":{state}"
    named = {name.removesuffix(suffix): raw for name, raw in _by_name.decode(stored).items() if name.endswith(suffix)}
    return registers.load(EndRegisters, msgspec.json.encode(named).decode())


_by_name = msgspec.json.Decoder(dict[str, msgspec.Raw])

_END_RANKS = frozenset(
    above_transfers(registers.stamp(TRANSITIONS, state, None, registers.NO_EVENT)).rank for state in UNSUCCESSFUL
)
