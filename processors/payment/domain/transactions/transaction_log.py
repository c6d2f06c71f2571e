"""The log of an order's transactions: status changes, failed attempts, refund totals and refunds, keyed by time.

The log is a set, so its content does not depend on the order of events. It is stored in the column `entries`. A key
is the kind, the time (microseconds since 1970 UTC, 0 where unknown) and the transaction, separated by line breaks; a
refund's key is the kind and the refund's id. No id contains a line break.
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple, cast

from processors.payment.domain.statuses import MONEY_RANKS, MONEY_STATUSES, REFUND_RANKS
from stream.events import EventId, Micros, PaymentPayload, RefundPayload
from stream.state.registers import NO_EVENT, NO_TIME, Register, Stamp

LogValue = int | bool | tuple[str | int | bool, ...]
"""The value of an entry. Its type follows from the kind in the key, see `payment_entries` and `refund_entries`."""

Entries = Mapping[str, Register[LogValue]]
"""The entries of a log by key."""

END_OF_TIME = 1 << 62
"""Later than every time in microseconds."""


class StatusChange(NamedTuple):
    """A transaction reached a status of MONEY_STATUSES, whose index is `rank`. Instances sort by time, then by rank.

    `at` is in microseconds, 0 if unknown, `END_OF_TIME` for a cancel without a time. `transaction` is empty for a
    webhook that names none.
    """

    at: int
    rank: int
    transaction: str
    provider: str
    aliases: tuple[str, ...]

    @property
    def status(self) -> str:
        return MONEY_STATUSES[self.rank]


class RefundEntry(NamedTuple):
    """A refund that has webhooks of its own.

    `at` is when it reached its status, in microseconds (0 if unknown); `amount` is in minor units (0 if unknown).
    `was_completed` is True if it was ever completed, even if it was rejected later.
    """

    id: str
    status: str
    amount: int
    aliases: tuple[str, ...]
    at: int
    was_completed: bool


class TransactionLog(NamedTuple):
    """The entries of a log by kind. `changes` are sorted; a cancel without a time counts as the last change.

    `totals` holds, by transaction, each (time, total refunded so far in minor units) that its provider stated, by time.
    """

    changes: list[StatusChange]
    refunds: list[RefundEntry]
    totals: Mapping[str, list[tuple[int, int]]]


class PaidCounts(NamedTuple):
    """The number of times the order became paid after it was not, and of times a bank reversed its only deposit."""

    paid: int
    reversed: int


def payment_entries(payload: PaymentPayload, provider: str, transaction: str, stamp: Stamp) -> Entries:
    """Return the log entries of one payment webhook; none if it states no status or total to log.

    The value of a status of MONEY_STATUSES is (provider, aliases …); of `failed`, (transaction id, id at the payment
    gateway, True if the entry only sums up attempts); of `refunded`, the total refunded so far in minor units.
    """
    at = stamp.at
    entries: dict[str, Register[LogValue]] = {}
    if payload.status in MONEY_STATUSES:
        aliases = {transaction, payload.transaction_id, payload.pg_transaction_id, *payload.aliases}
        entries[f"{payload.status}\n{at}\n{transaction}"] = Register(stamp, (provider, *sorted(filter(None, aliases))))
    if payload.status == "failed":
        label, tried = payload.pg_transaction_id or "", payload.transaction_id or ""
        is_summary = not label and not {tried}.issuperset(payload.aliases)
        entries[f"failed\n{at}\n{label or tried}"] = Register(stamp, (tried, label, is_summary))
    if payload.refunded_amount is not None:
        refunded = payload.refunded_amount
        entries[f"refunded\n{at}\n{transaction}"] = Register(Stamp(refunded, NO_TIME, 0, NO_EVENT), refunded)
    return entries


def refund_entries(payload: RefundPayload, at: Micros, event_id: EventId) -> Entries:
    """Return the log entries of one refund webhook, each a register of its own, as later webhooks may state less.

    The value of `refund` is (status, its time in microseconds, aliases …); of `amount`, the amount in minor units; of
    `succeeded`, True.
    """
    stamp = Stamp(REFUND_RANKS[payload.status], at, int(payload.status == "completed"), event_id)
    entries: dict[str, Register[LogValue]] = {
        f"refund\n{payload.refund_id}": Register(stamp, (payload.status, at, *payload.aliases))
    }
    if payload.amount is not None:
        entries[f"amount\n{payload.refund_id}"] = Register(stamp, payload.amount)
    if payload.status == "completed":
        entries[f"succeeded\n{payload.refund_id}"] = Register(Stamp(0, NO_TIME, 0, NO_EVENT), value=True)
    return entries


def parse(entries: Entries) -> TransactionLog:
    """Return the entries by kind, without failed attempts, which `count_failed_attempts` reads."""
    changes: list[StatusChange] = []
    refunds: list[RefundEntry] = []
    totals: dict[str, list[tuple[int, int]]] = {}
    for key, entry in entries.items():
        kind, _, suffix = key.partition("\n")
        at, _, transaction = suffix.partition("\n")
        if kind in MONEY_RANKS:
            time = END_OF_TIME if kind == "cancelled" and at == "0" else int(at)
            named = cast("tuple[str, ...]", entry.value)
            changes.append(StatusChange(time, MONEY_RANKS[kind], transaction, named[0], named[1:]))
        elif kind == "refund":
            refunds.append(_refund(suffix, entry, entries))
        elif kind == "refunded":
            totals.setdefault(transaction, []).append((int(at), cast("int", entry.value)))
    changes.sort()
    for stated in totals.values():
        stated.sort()
    return TransactionLog(changes, refunds, totals)


def count_paid(changes: Iterable[StatusChange]) -> PaidCounts:
    """Count how often the order became paid and lost its deposit. `changes` must be sorted.

    Repeated webhooks of a deposit or a cancel count once. A cancelled transaction cannot be paid again.
    """
    live: set[str] = set()
    ended: set[str] = set()
    paid = reversed_ = 0
    for change in changes:
        if change.transaction in ended:
            continue
        was_paid = bool(live)
        if change.status == "waiting_for_deposit":
            live.discard(change.transaction)
            reversed_ += was_paid and not live
        elif change.status == "cancelled":
            cancelled = {change.transaction} if change.transaction else set(live)
            live -= cancelled
            ended |= cancelled
        else:
            live.add(change.transaction)
            paid += not was_paid
    return PaidCounts(paid, reversed_)


def count_failed_attempts(entries: Entries, transaction_id: str) -> int:
    """Return the number of failed attempts to pay this transaction; 1 if the log has none.

    Attempts differ by their id at the payment gateway, or by time where they have none. An entry that names the payment
    by a further alias, such as a failed checkout session, sums up attempts and is not counted.
    """
    attempts = set[tuple[str, str]]()
    for key, entry in entries.items():
        kind, _, suffix = key.partition("\n")
        if kind == "failed":
            at = suffix.partition("\n")[0]
            tried, label, is_summary = cast("tuple[str, str, bool]", entry.value)
            if tried == transaction_id and not is_summary:
                attempts.add((label, "" if label else at))
    return max(1, len(attempts))


def count_drops(totals: list[tuple[int, int]]) -> int:
    """Return how often a total went down, which happens when a refund fails that it had counted.

    `totals` are (time, total), sorted; those without a time are ignored.
    """
    return sum(drop > 0 for drop in _drops(totals))


def sum_drops(totals: list[tuple[int, int]]) -> int:
    """Return the sum of all decreases of a total, in minor units; `totals` as for `count_drops`."""
    return sum(drop for drop in _drops(totals) if drop > 0)


def _refund(refund_id: str, entry: Register[LogValue], entries: Entries) -> RefundEntry:
    status, at, *aliases = cast("tuple[str, int, *tuple[str, ...]]", entry.value)
    amount = entries.get(f"amount\n{refund_id}")
    total = 0 if amount is None else cast("int", amount.value)
    return RefundEntry(refund_id, status, total, tuple(aliases), at, f"succeeded\n{refund_id}" in entries)


def _drops(totals: list[tuple[int, int]]) -> list[int]:
    timed = [amount for at, amount in totals if at]
    return [earlier - later for earlier, later in pairwise(timed)]
