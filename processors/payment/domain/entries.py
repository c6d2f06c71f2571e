"""Entries: what happened to an order's transactions, each keyed by its time. Sets, so any order of events ends alike.

A key is text, as a store keeps it: kind, time (microseconds since 1970 UTC, 0 where unknown) and transaction, or the
refund's id, separated by line breaks, which no id contains.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from stream.events import PaymentNotice, RefundNotice
from stream.state import registers
from stream.state.registers import Stamp, Told

MOVES = ("waiting_for_deposit", "completed", "partially_cancelled", "cancelled")
"""The statuses that say whether a transaction holds the customer's money, in their order at the same time."""

REFUND_RANKS = {"pending": 0, "processing": 1, "rejected": 2, "completed": 2}
NEVER = 1 << 62


class Move(NamedTuple):
    """A transaction reached a status. The fields sort by time."""

    at: int
    rank: int
    transaction: str
    provider: str
    names: tuple[str, ...]

    @property
    def status(self) -> str:
        return MOVES[self.rank]


class Refund(NamedTuple):
    """A refund that its own webhooks tell of; `at` is when it reached its status."""

    id: str
    status: str
    amount: int
    names: tuple[str, ...]
    at: int
    was_completed: bool


class Occasions(NamedTuple):
    """Return how often the order became paid, and how often a bank took its deposit back."""

    paid: int
    reversed: int


def of_payment(notice: PaymentNotice, provider: str, transaction: str, when: Stamp) -> Told:
    """The entries that one payment webhook makes."""
    at, made = when[1], dict[str, object]()
    if notice.status in MOVES:
        names = {transaction, notice.transaction_id, notice.pg_transaction_id, *notice.references}
        made[f"{notice.status}\n{at}\n{transaction}"] = [provider, *sorted(filter(None, names))]
    if notice.status == "failed":
        label, tried = notice.pg_transaction_id or "", notice.transaction_id or ""
        is_summary = not label and not {tried}.issuperset(notice.references)
        made[f"failed\n{at}\n{label or tried}"] = [tried, label, is_summary]
    told: Told = {key: (when, value) for key, value in made.items()}
    if notice.refunded_amount is not None:
        refunded = notice.refunded_amount
        told = {**told, f"refunded\n{at}\n{transaction}": ((refunded, 0, 0, ""), refunded)}
    return told


def of_refund(notice: RefundNotice, at: int, event_id: str) -> Told:
    """The entry of a refund. Its amount may be told by an earlier webhook than its end."""
    rank, names = REFUND_RANKS[notice.status], list(notice.references)
    when = (rank, at, int(notice.status == "completed"), event_id)
    told: Told = {f"refund\n{notice.refund_id}": (when, [notice.status, at, *names])}
    if notice.amount is not None:
        told = {**told, f"amount\n{notice.refund_id}": (when, notice.amount)}
    if notice.status == "completed":
        told = {**told, f"succeeded\n{notice.refund_id}": ((0, 0, 0, ""), True)}
    return told


def moves(entries: Told) -> list[Move]:
    """All moves by time. A cancel without a time ends what was paid at any time."""
    found = []
    for key, (_, value) in entries.items():
        kind, at, transaction = _split(key)
        if kind in MOVES:
            when = NEVER if kind == "cancelled" and at == "0" else int(at)
            found.append(Move(when, MOVES.index(kind), transaction, value[0], tuple(value[1:])))
    return sorted(found)


def occasions(moves: Iterable[Move]) -> Occasions:
    """Count by the clock of the providers, moves being sorted. Several webhooks of one deposit or cancel count once."""
    live, ended = set[str](), set[str]()
    paid = reversed_ = 0
    for move in moves:
        if move.transaction in ended:
            continue
        was_paid = bool(live)
        if move.status == "waiting_for_deposit":
            live.discard(move.transaction)
            reversed_ += was_paid and not live
        elif move.status == "cancelled":
            gone = {move.transaction} if move.transaction else set(live)
            live -= gone
            ended |= gone
        else:
            live.add(move.transaction)
            paid += not was_paid
    return Occasions(paid, reversed_)


def attempts(entries: Told, transaction_id: str) -> int:
    """Count how often a payment was tried and failed, by the id of each attempt, or its time where it has none.

    What names the payment by another name too, such as a checkout session that failed, sums up attempts.
    """
    failed = [
        (label, "" if label else at, is_summary)
        for key, (_, (tried, label, is_summary)) in _of_kind(entries, "failed")
        for at in [_split(key)[1]]
        if tried == transaction_id
    ]
    return max(1, len({(label, at) for label, at, is_summary in failed if not is_summary}))


def totals(entries: Told, transaction: str) -> list[tuple[int, int]]:
    """Each (time, amount given back so far) that a provider told of a transaction, by time."""
    keyed = ((_split(key), value) for key, (_, value) in entries.items())
    return sorted((int(at), value) for (kind, at, name), value in keyed if kind == "refunded" and name == transaction)


def descents(sums: list[tuple[int, int]]) -> int:
    """Return how often a total went down, as a counted refund had failed. Totals without a time are ignored."""
    return sum(drop > 0 for drop in _drops(sums))


def lost(sums: list[tuple[int, int]]) -> int:
    """By how much a total went down in all."""
    return sum(drop for drop in _drops(sums) if drop > 0)


def refunds(entries: Told) -> Iterator[Refund]:
    """The refunds that have webhooks of their own."""
    for key, (_, value) in entries.items():
        kind, _, refund_id = key.partition("\n")
        if kind == "refund":
            status, at, *names = value
            amount = registers.value(entries, f"amount\n{refund_id}") or 0
            yield Refund(refund_id, status, amount, tuple(names), at, f"succeeded\n{refund_id}" in entries)


def _drops(sums: list[tuple[int, int]]) -> list[int]:
    timed = [amount for at, amount in sums if at]
    return [earlier - later for earlier, later in pairwise(timed)]


def _of_kind(entries: Told, kind: str) -> list[tuple[str, tuple[Stamp, Any]]]:
    return [(key, entry) for key, entry in entries.items() if _split(key)[0] == kind]


def _split(key: str) -> tuple[str, str, str]:
    kind, _, rest = key.partition("\n")
    at, _, name = rest.partition("\n")
    return kind, at, name
