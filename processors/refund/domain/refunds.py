"""The state of an order's refunds, keyed by refund id. The total is the sum of the completed refunds."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stream.state import registers
from stream.state.registers import Registers

TRANSITIONS = (
    ("pending",),
    ("processing",),
    ("rejected", "completed"),
)
"""A status may follow the statuses of its own tier and of the tiers above it; any other sequence is `late`.

A bank may return a completed refund (Stripe: succeeded → failed). Both statuses are in one tier, so the later of the
two holds.
"""


@dataclass(frozen=True, slots=True)
class Refunds:
    """The state of each refund of one order, by refund id.

    `paid` holds (amount in minor units, currency, provider, released amount) of each transaction; older rows lack the
    last.
    """

    order_id: str
    version: int = 0
    refunds: Mapping[str, Registers] = field(default_factory=dict)
    paid: Registers = field(default_factory=dict)

    @property
    def refunded_amount(self) -> int:
        """The sum of the completed refunds that fit the payment, in minor units."""
        mismatches = self.mismatches
        return sum(
            registers.value(state, "amount") or 0
            for refund_id, state in self.counted.items()
            if registers.value(state, "status") == "completed" and refund_id not in mismatches
        )

    @property
    def status(self) -> str | None:
        """The status of the refund of the highest rank, then the latest time; None without a fitting refund."""
        mismatches = self.mismatches
        fitting = [state for refund_id, state in self.counted.items() if refund_id not in mismatches]
        newest = max(fitting, key=lambda state: state["status"][0], default=None)
        return registers.value(newest, "status") if newest else None

    @property
    def mismatches(self) -> dict[str, str]:
        """The reasons why completed refunds do not fit the payment, by refund id; empty while no payment is known.

        When several refunds together exceed the amount paid, the later ones do not fit. While the amount of a payment
        is unknown, no refund is too large.
        """
        if not self.paid:
            return {}
        paid = [value for _, value in self.paid.values()]
        left = Counter[str]()
        for amount, currency, *_ in paid:
            left[currency] += amount or 0
        is_open = any(amount is None for amount, *_ in paid)
        found = {}
        for _, refund_id, state in self._completed:
            amount, currency = registers.value(state, "amount"), registers.value(state, "currency")
            if reason := _mismatch_reason(state, paid):
                found[refund_id] = reason
            elif not is_open and amount and amount > left[currency]:
                found[refund_id] = "exceeds_payment"
            else:
                left[currency] -= amount or 0
        return found

    @property
    def counted(self) -> Mapping[str, Registers]:
        """The refunds without those that only release an authorized amount that was not captured (see `releases`)."""
        releases = self.releases
        return {refund_id: state for refund_id, state in self.refunds.items() if refund_id not in releases}

    @property
    def releases(self) -> frozenset[str]:
        """The ids of refunds that refund nothing: for each transaction, the first refund of its released amount.

        A release is made at the capture, before anything can be refunded.
        """
        found: set[str] = set()
        for _, (_, (_, currency, provider, *released)) in sorted(self.paid.items()):
            if any(released):
                same = [
                    (state["status"][0][1], refund_id)
                    for refund_id, state in self.refunds.items()
                    if refund_id not in found and _is_of_payment(state, (released[0], currency, provider))
                ]
                found |= {refund_id for _, refund_id in sorted(same)[:1]}
        return frozenset(found)

    @property
    def _completed(self) -> list[tuple[registers.Stamp, str, Registers]]:
        """The completed refunds with an amount of money, in the order of their completion."""
        completed = [
            (state["status"][0], refund_id, state)
            for refund_id, state in self.counted.items()
            if registers.value(state, "status") == "completed" and "amount" in state
        ]
        return sorted(completed, key=lambda refund: refund[:2])


def processed_at(state: Registers) -> int | None:
    """Return when the refund reached its status, in microseconds; None if no event with this status states a time."""
    (rank, _, position, _), at = state.get("refunded_at", (registers.UNSET, None))
    status = state["status"][0]
    return at if (rank, position) == (status[0], status[2]) else None


def reason(state: Registers) -> str | None:
    """Return why the refund was rejected, if it was; else, or if that is unknown, why it was requested."""
    rejection: str | None = registers.value(state, "rejection")
    requested: str | None = registers.value(state, "reason")
    return (rejection or requested) if registers.value(state, "status") == "rejected" else requested


def _is_of_payment(state: Registers, money: tuple[Any, ...]) -> bool:
    """Return whether the payment reports a refund of this amount, currency and provider too."""
    fields = tuple(registers.value(state, name) for name in ("amount", "currency", "provider"))
    return bool(registers.value(state, "told_by_payment")) and fields == money


def _mismatch_reason(state: Registers, paid: list[Any]) -> str | None:
    """Return why a refund fits no payment: `other_provider` or `other_currency`; None if one has both in common."""
    providers = {provider for _, _, provider, *_ in paid}
    if None not in providers and registers.value(state, "provider") not in providers:
        return "other_provider"
    return None if registers.value(state, "currency") in {currency for _, currency, *_ in paid} else "other_currency"
