"""The state of a crypto invoice, and of a transfer that pays one."""

from dataclasses import dataclass, field
from typing import Any

from stream.state import registers
from stream.state.registers import Registers, Stamp

TRANSITIONS = (
    ("Ready",),
    ("Wait",),
    ("Pending",),
    ("Cancel",),
    ("Reject",),
    ("Fail",),
    ("Complete",),
)
"""A state may follow the states above it; any other sequence is `late`.

Money that arrived is never hidden: Complete outranks all states, and Fail, which may hold money to be refunded,
outranks the final states in which no money was sent. No choice between two final states therefore depends on clocks.
"""

TRANSFERS = (("Pending",), ("Fail",), ("Complete",))
"""The states of a transfer. They do not change the invoice: the provider sends the invoice's own webhook too."""

MISMATCH = "amount_mismatch"
UNKNOWN = "unknown"
UNSUCCESSFUL = ("Cancel", "Reject", "Fail")

END_FIELDS = ("received_amount", "expected_amount", "reason", "expired_at", "completed_at")
"""Fields that a webhook with a state of UNSUCCESSFUL states about that state only; their registers are `name:State`."""

EXPIRING = ("Ready", "Wait", "Pending", "Cancel")
"""The states that have an expiry time."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """The state of one transfer on a blockchain, including the invoice that it pays."""

    transaction_id: str
    version: int = 0
    told: Registers = field(default_factory=dict)

    @property
    def invoice_id(self) -> str | None:
        """The invoice that it pays; None until a webhook names both."""
        invoice_id: str | None = registers.value(self.told, "invoice_id")
        return invoice_id


@dataclass(frozen=True, slots=True)
class Invoice:
    """The state of one invoice."""

    invoice_id: str
    version: int = 0
    told: Registers = field(default_factory=dict)

    @property
    def state(self) -> str | None:
        """The state by TRANSITIONS; None while only a transfer of the invoice is known."""
        state: str | None = registers.value(self.told, "state")
        return state

    @property
    def reason(self) -> str | None:
        """The reason of a state of UNSUCCESSFUL, never that of an overtaken state; UNKNOWN if none is stated."""
        if self.state not in UNSUCCESSFUL:
            return None
        if (reason := registers.value(self.told, f"reason:{self.state}")) is not None:
            return str(reason)
        (rank, *_), _ = self.told["state"]
        (reason_rank, *_), reason = self.told.get("reason", (registers.UNSET, None))
        return reason if reason_rank == rank else UNKNOWN

    @property
    def is_underpaid(self) -> bool:
        """True if the provider reported the invoice as underpaid after its completion."""
        stamp, reason = self.told.get("reason:Fail", (registers.UNSET, None))
        if self.state != "Complete" or reason != MISMATCH:
            return False
        completed, failed = self.told["state"][0][1], stamp[1]
        return failed >= completed or not failed

    def known(self, name: str) -> Any:
        """Return a field; None when it is unknown, or known only from an event whose state was overtaken."""
        if name == "reason":
            return self.reason
        if (name == "expired_at" and self.state not in EXPIRING) or (
            name == "completed_at" and self.state != "Complete"
        ):
            return None
        own = registers.value(self.told, f"{name}:{self.state}") if self.state in UNSUCCESSFUL else None
        return self._before_end(name) if own is None else own

    def _before_end(self, name: str) -> Any:
        """Return a field unless it belongs to an overtaken state. Older rows may hold such fields without a suffix."""
        (rank, *_), value = self.told.get(name, (registers.UNSET, None))
        ends = [above_transfers((at, 0, 0, ""))[0] for at, (state,) in enumerate(TRANSITIONS) if state in UNSUCCESSFUL]
        is_overtaken = name in END_FIELDS and rank in ends and rank != self.told["state"][0][0]
        return None if is_overtaken else value


def above_transfers(stamp: Stamp) -> Stamp:
    """Return a stamp for an invoice's own webhook, which outranks all stamps of its transfers."""
    rank, at, position, event_id = stamp
    return rank + len(TRANSFERS), at, position, event_id
