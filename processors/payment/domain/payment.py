"""All that is known of one order's payment: registers for what is one thing, entries for what may be several."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from processors.payment.domain import entries
from processors.payment.domain.entries import MOVES, Move, Occasions, Refund
from stream.state import registers
from stream.state.registers import UNTOLD, Stamp, Told

TRANSITIONS = (
    ("pending",),
    ("failed", "expired"),
    ("waiting_for_deposit", "completed"),
    ("partially_cancelled",),
    ("cancelled",),
)
"""A status may follow those of its own tier and of the tiers above it; what comes later than its turn is `late`.

A deposit is awaited, made, and may be taken back by the bank (Toss: DONE → WAITING_FOR_DEPOSIT): one tier, so that the
later of the two holds. A refund that fails takes a payment from a cancel back to completed: that is an entry.
"""

PAID = ("completed", "partially_cancelled", "cancelled")
LIVE = ("completed", "partially_cancelled")
FAILED = ("failed", "expired")


@dataclass(frozen=True, slots=True)
class Parts:
    """What a set of webhooks says of a payment. `transactions` are the ways it was tried or paid.

    A cancel's entry is (amount in minor units, its transaction); a transaction may also hold `refunded_amount`, the
    most that the provider ever said was given back of it.
    """

    told: Told = field(default_factory=dict)
    transactions: Mapping[str, Told] = field(default_factory=dict)
    cancels: Told = field(default_factory=dict)
    entries: Told = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Claim:
    """The cancels of one transaction of one provider. They count once that transaction is known to be the order's.

    `waiting` are the events that arrived while it did not count; they differ with the order of arrival.
    """

    provider: str
    transaction: str
    parts: Parts = field(default_factory=Parts)
    names: tuple[str, ...] = ()
    is_confirmed: bool = False
    waiting: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)  # without slots, for cached_property
class Payment:
    """`told`, `transactions`, `cancels` and `entries` are what counts: `base` with the claims that fit (see `claims`).

    `base` is None while there is no claim: then it is those four. `order` is what the shop says the payment should be.
    `disputes` is what is told of each dispute, by its id.
    """

    order_id: str
    version: int = 0
    told: Told = field(default_factory=dict)
    transactions: Mapping[str, Told] = field(default_factory=dict)
    cancels: Told = field(default_factory=dict)
    order: Told = field(default_factory=dict)
    entries: Told = field(default_factory=dict)
    base: Parts | None = None
    claims: Mapping[str, Claim] = field(default_factory=dict)
    disputes: Mapping[str, Told] = field(default_factory=dict)

    @cached_property
    def status(self) -> str | None:
        """The status of the highest rank and then the latest time, seen together with the entries.

        A part given back that is all of it is a cancel; a cancel or an account of one transaction leaves the order
        paid when another transaction has paid it; and a refund that failed gives nothing back.
        """
        status: str | None = registers.value(self.told, "status")
        current = registers.value(self.told, "transaction")
        if status == "waiting_for_deposit" and current and self.live:
            return _status(self.transactions[self.live[0]])
        if status == "cancelled" and self.live:
            status = _status(self.transactions[self.live[0]])
        if status in PAID and self._is_settled_by_amounts(status):
            refunded = self.refunded_amount
            return "completed" if not refunded else "cancelled" if refunded >= self._total else "partially_cancelled"
        if status == "partially_cancelled" and 0 < self._total <= self.refunded_amount:
            return "cancelled"
        return status

    @cached_property
    def live(self) -> list[str]:
        """The transactions that hold the customer's money: first what pays the order, as it asks or else first.

        A transaction of amount 0 took nothing, so another one pays the order where there is one. A cancel that names
        no transaction ends all that were paid before it.
        """
        paid_ever = [(name, told) for name, told in self.transactions.items() if _status(told) in LIVE]
        if not paid_ever:
            return []
        asked, ended_at = _money(self.order), self._ended_at
        paid = [
            (asked is not None and _money(told) not in (None, asked), _is_nothing(told), told["status"][0][1], name)
            for name, told in paid_ever
            if told["status"][0][1] > ended_at
        ]
        return [name for *_, name in sorted(paid)]

    @property
    def extra(self) -> list[str]:
        """The transactions that paid what was paid already."""
        return [name for name in self.live[1:] if not _is_nothing(self.transactions[name])]

    def known(self, name: str) -> Any:
        """Return a field of the transaction that pays the order, or of the last one.

        What it leaves open is what was told besides; but not what was told of another transaction.
        """
        return self.register(name)[1]

    def register(self, name: str) -> tuple[Stamp, Any]:
        """The stamp and value behind `known`."""
        current = self._current
        if (register := self.transactions.get(current, {}).get(name)) is not None:
            return register
        if (register := self.told.get(name)) is None:
            return UNTOLD, None
        if current and self.transactions:
            others = (told for other, told in self.transactions.items() if other != current)
            if any(told.get(name, (UNTOLD,))[0] == register[0] for told in others):
                return UNTOLD, None
        return register

    @property
    def paid_at(self) -> int | None:
        """When it was paid, as the event of the status says, or an earlier one that it has not undone.

        None of a status that lost, and of a deposit that was taken back.
        """
        (rank, at, position, _), paid_at = self.register("paid_at")
        if paid_at is None:
            return None
        status: Stamp = self.told["status"][0] if "status" in self.told else UNTOLD
        waits = [move.at for move in self._moves if move.status == "waiting_for_deposit"]
        was_taken_back = rank == _rank("completed") and any(at < waiting for waiting in waits)
        was_paid = self.status in PAID and rank >= _rank("completed")
        is_of_the_status = (rank, position) == (status[0], status[2])
        return paid_at if (was_paid or is_of_the_status) and not was_taken_back else None

    @property
    def failure_reason(self) -> str | None:
        """The reason of the failed attempt that set the status; None with any other status."""
        (rank, _, position, _), reason = self.register("failure_reason")
        if reason is None:
            return None
        status: Stamp = self.told["status"][0] if "status" in self.told else UNTOLD
        return reason if self.status in FAILED and (rank, position) == (status[0], status[2]) else None

    @cached_property
    def refunded_amount(self) -> int:
        """The amount given back, in minor units: never more than was paid."""
        return sum(self.given_back_of(name) for name in self._given_back)

    def given_back_of(self, transaction: str) -> int:
        """Return the amount given back of one transaction, at most its amount."""
        amount: int | None = registers.value(self.transactions.get(transaction, {}), "amount")
        given_back = self.claimed_of(transaction)
        return min(given_back, given_back if amount is None else amount)

    def claimed_of(self, transaction: str) -> int:
        """Return the stated amount given back of a transaction, which may be more than was paid.

        Its entries, or the provider's own sum if that is more; after a refund failed, the last sum, without what
        failed since. Refunds with webhooks of their own count where the provider tells no sum.
        """
        by_entries: int = sum(amount for _, (amount, name) in self.cancels.values() if name == transaction)
        refunds = self._refunds_of(transaction)
        completed = sum(refund.amount for refund in refunds if refund.status == "completed")
        most = registers.value(self.transactions.get(transaction, {}), "refunded_amount")
        if most is None:
            return by_entries + completed
        sums = entries.totals(self.entries, transaction)
        last_at, last = sums[-1] if sums else (0, most)
        total: int = last if entries.descents(sums) else max(by_entries, most)
        if completed == total:
            return total
        failed = (
            refund.amount
            for refund in refunds
            if refund.status == "rejected" and refund.at >= last_at and refund.amount <= total
        )
        return max(0, total - sum(failed))

    @cached_property
    def excessive(self) -> list[str]:
        """The transactions of which more is said to be given back than was paid."""
        amounts = ((name, registers.value(told, "amount")) for name, told in self.transactions.items())
        return [name for name, amount in amounts if amount is not None and self.claimed_of(name) > amount]

    @property
    def given_back(self) -> int | None:
        """What a cancel gave back: all of the payment unless a part is told; None where the provider says nothing."""
        told = self.transactions.get(registers.value(self.told, "transaction") or "", {})
        if self.refunded_amount or registers.value(told, "refunded_amount") == 0:
            return self.refunded_amount or None
        amount: int | None = self.known("amount")
        return amount

    @property
    def mismatched(self) -> bool:
        """Whether what was paid is known to differ from what the order asks for."""
        paid, asked = self._paid, _money(self.order)
        return self.status in PAID and paid is not None and asked is not None and paid != asked

    @property
    def is_checked(self) -> bool:
        """Whether both the order's amount and the payment's are known."""
        return self._paid is not None and _money(self.order) is not None

    @cached_property
    def occasions(self) -> Occasions:
        return entries.occasions(self._moves)

    @cached_property
    def failed_refunds(self) -> int:
        """The number of its refunds that failed, by the provider's sums or by the refunds' own webhooks."""
        return sum(self._failed_refunds_of(name) for name in self._given_back)

    @cached_property
    def failed_amount(self) -> int:
        """The amount that was given back and came back, in minor units, as far as it is known."""
        return sum(self._failed_amount_of(name) for name in self._given_back)

    @property
    def parts(self) -> Parts:
        """What every webhook but the claims' says."""
        return self.base or Parts(self.told, self.transactions, self.cancels, self.entries)

    @property
    def waiting(self) -> tuple[Claim, ...]:
        """The claims that do not count."""
        parts = self.parts
        return tuple(claim for _, claim in sorted(self.claims.items()) if misfit(parts, claim))

    @cached_property
    def _given_back(self) -> list[str]:
        """The transactions of which anything may have been given back."""
        named = {name for _, (_, name) in self.cancels.values()}
        return sorted({*named, *self.transactions, *(self._of(refund) for refund in self._refunds)})

    @cached_property
    def _refunds(self) -> tuple[Refund, ...]:
        return tuple(entries.refunds(self.entries))

    @cached_property
    def _moves(self) -> list[Move]:
        return entries.moves(self.entries)

    @cached_property
    def _current(self) -> str:
        """The transaction that pays the order, or else the last one."""
        return self.live[0] if self.live else registers.value(self.told, "transaction") or ""

    def _refunds_of(self, transaction: str) -> list[Refund]:
        """Return the refunds of a transaction, without the release of what was authorized and not captured.

        That one is the first of its amount: it was made when the rest was captured, before anything was given back.
        """
        if not self._refunds:
            return []
        refunds = [refund for refund in self._refunds if self._of(refund) == transaction]
        released = registers.value(self.transactions.get(transaction, {}), "released_amount")
        same = [refund for refund in refunds if released and refund.amount == released]
        release = min(same, key=lambda refund: (refund.at, refund.id), default=None)
        return [refund for refund in refunds if refund is not release]

    def _of(self, refund: Refund) -> str:
        """The transaction of a refund, which may name it by any of its names."""
        known = [name for name in refund.names if name in self.transactions]
        return (known or [*refund.names, ""])[0]

    def _failed_refunds_of(self, transaction: str) -> int:
        rejected = sum(refund.status == "rejected" for refund in self._refunds_of(transaction))
        return max(entries.descents(entries.totals(self.entries, transaction)), rejected)

    def _failed_amount_of(self, transaction: str) -> int:
        most = registers.value(self.transactions.get(transaction, {}), "refunded_amount") or 0
        rejected = sum(
            refund.amount
            for refund in self._refunds_of(transaction)
            if refund.status == "rejected" and (refund.was_completed or refund.amount <= most)
        )
        return max(rejected, entries.lost(entries.totals(self.entries, transaction)))

    def _is_settled_by_amounts(self, status: str | None) -> bool:
        """Whether the amounts override the status: a refund failed, or only refunds state what was given back.

        The transaction is looked at that the status is of.
        """
        current = self._current
        is_summed = registers.value(self.transactions.get(current, {}), "refunded_amount") is not None
        if status == "completed":
            return not is_summed and bool(self._refunds_of(current)) and self._total > 0
        return is_summed and self._failed_refunds_of(current) > 0 and self._total > 0

    @cached_property
    def _ended_at(self) -> int:
        """When a cancel that names no transaction last ended what was paid; -1 where none did.

        Orders cancelled before entries were kept have only the register.
        """
        ends = [move.at for move in self._moves if move.status == "cancelled" and not move.transaction]
        if registers.value(self.told, "status") == "cancelled" and not registers.value(self.told, "transaction"):
            ends.append(self.told["status"][0][1] or entries.NEVER)
        return max(ends, default=-1)

    @cached_property
    def _total(self) -> int:
        """All that was paid, by however many transactions, in minor units; 0 where nobody says."""
        amounts = [registers.value(self.transactions[name], "amount") or 0 for name in self.live]
        return sum(amounts) or self.known("amount") or 0

    @property
    def _paid(self) -> tuple[int, str] | None:
        """Amount and currency of the transaction that pays the order."""
        amount = self.known("amount")
        return None if amount is None else (amount, self.known("currency"))


def misfit(base: Parts, claim: Claim) -> str | None:
    """Return why a cancel does not belong to the order's payment; None when it does, or when no payment is known.

    A transaction is the order's when another webhook tells of it. One that is not named is that of its provider. What
    the provider's API confirmed proves itself.
    """
    paid = [move for move in entries.moves(base.entries) if move.status == "completed"]
    if not paid or claim.is_confirmed:
        return None
    known = {*base.transactions, *(name for move in paid for name in move.names)}
    if claim.transaction and not known.isdisjoint((claim.transaction, *claim.names)):
        return "other_currency" if _differs(base, claim) else None
    by_provider = [move for move in paid if move.provider == claim.provider]
    if not by_provider:
        return "other_provider"
    is_named = bool(claim.transaction) and all(move.names for move in by_provider)
    return "other_transaction" if is_named else "other_currency" if _differs(base, claim) else None


def _differs(base: Parts, claim: Claim) -> bool:
    paid = base.transactions.get(claim.transaction, base.told)
    given_back = claim.parts.told
    currencies = registers.value(paid, "currency"), registers.value(given_back, "currency")
    return None not in currencies and currencies[0] != currencies[1]


def _rank(status: str) -> int:
    return next(rank for rank, tier in enumerate(TRANSITIONS) if status in tier)


def _status(told: Told) -> str | None:
    status: str | None = registers.value(told, "status")
    return status


def _is_nothing(told: Told) -> bool:
    return bool(registers.value(told, "amount") == 0)


def _money(told: Told) -> tuple[int, str] | None:
    amount = registers.value(told, "amount")
    return None if amount is None else (amount, registers.value(told, "currency"))


__all__ = ["LIVE", "MOVES", "PAID", "TRANSITIONS", "Claim", "Parts", "Payment", "misfit"]
