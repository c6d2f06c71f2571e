"""An order's refunds are a set, keyed by refund id: the total is the sum over the completed ones."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from stream.events import (
    AmountMismatched,
    CryptoRefundRequested,
    DomainEvent,
    OutcomeKind,
    PaymentCancelled,
    PaymentCompleted,
    PaymentOverpaid,
    PaymentRefunded,
    RefundCompleted,
    RefundEvent,
    RefundMismatched,
    RefundRejected,
    RefundRequested,
    RefundWebhook,
    ids,
)
from stream.state import registers
from stream.state.registers import Told

TRANSITIONS = (
    ("pending",),
    ("processing",),
    ("rejected", "completed"),
)
"""A status may follow those of its own tier and of the tiers above it; what comes later than its turn is `late`.

A bank may send back what was given back already (Stripe: succeeded → failed): one tier, so that the later of the two
holds.
"""

ANNOUNCED: dict[str, type[RefundEvent]] = {"completed": RefundCompleted, "rejected": RefundRejected}
REQUESTED_BY = "hookstream"
"""The provider of a refund that only we asked for."""

PAYMENTS = PaymentCompleted | AmountMismatched | PaymentOverpaid | PaymentCancelled | PaymentRefunded
"""The domain events that state how much was paid for an order; refunds are compared with them."""

ENDS = ("completed", "rejected")
Truth = tuple[type[RefundEvent] | type[RefundMismatched], tuple[str, ...]]
"""A kind of fact and what makes it one fact and not another: the order, the refund, and which time if it recurs."""


@dataclass(frozen=True, slots=True)
class Refunds:
    """The state of each refund of one order.

    `paid` is (amount, currency, provider, released amount) of each transaction; older rows lack the last.
    """

    order_id: str
    version: int = 0
    refunds: Mapping[str, Told] = field(default_factory=dict)
    paid: Told = field(default_factory=dict)

    @property
    def refunded_amount(self) -> int:
        """The amount given back, in minor units, by the refunds that fit what was paid."""
        misfits = self.mismatches
        return sum(
            registers.value(told, "amount") or 0
            for refund_id, told in self.counted.items()
            if registers.value(told, "status") == "completed" and refund_id not in misfits
        )

    @property
    def status(self) -> str | None:
        """The status of the refund that has come furthest, and of two such, of the later one."""
        misfits = self.mismatches
        fitting = [told for refund_id, told in self.counted.items() if refund_id not in misfits]
        newest = max(fitting, key=lambda told: told["status"][0], default=None)
        return registers.value(newest, "status") if newest else None

    @property
    def mismatches(self) -> dict[str, str]:
        """The reasons why completed refunds do not fit what was paid, by refund; empty while no payment is known.

        Of several that are too much together, the later ones are. Where a payment tells no amount, none is too much.
        """
        if not self.paid:
            return {}
        paid = [value for _, value in self.paid.values()]
        left = Counter[str]()
        for amount, currency, *_ in paid:
            left[currency] += amount or 0
        is_open = any(amount is None for amount, *_ in paid)
        found = {}
        for _, refund_id, told in self._completed:
            amount, currency = registers.value(told, "amount"), registers.value(told, "currency")
            if reason := _misfit(told, paid):
                found[refund_id] = reason
            elif not is_open and amount and amount > left[currency]:
                found[refund_id] = "exceeds_payment"
            else:
                left[currency] -= amount or 0
        return found

    @property
    def counted(self) -> Mapping[str, Told]:
        """The refunds, without those that only release what was authorized and not captured (see `releases`)."""
        releases = self.releases
        return {refund_id: told for refund_id, told in self.refunds.items() if refund_id not in releases}

    @property
    def releases(self) -> frozenset[str]:
        """The refunds that give nothing back: of each transaction the first of the released amount.

        A release is made when the rest is captured, before anything can be given back.
        """
        found: set[str] = set()
        for _, (_, (_, currency, provider, *released)) in sorted(self.paid.items()):
            if any(released):
                same = [
                    (told["status"][0][1], refund_id)
                    for refund_id, told in self.refunds.items()
                    if refund_id not in found and _is_of_payment(told, (released[0], currency, provider))
                ]
                found |= {refund_id for _, refund_id in sorted(same)[:1]}
        return frozenset(found)

    @property
    def _completed(self) -> list[tuple[registers.Stamp, str, Told]]:
        """The completed refunds that tell an amount of money, in the order they were completed."""
        told = [(told["status"][0], refund_id, told) for refund_id, told in self.counted.items()]
        completed = [one for one in told if registers.value(one[2], "status") == "completed" and "amount" in one[2]]
        return sorted(completed, key=lambda one: one[:2])


def _is_of_payment(told: Told, money: tuple[Any, ...]) -> bool:
    """Return whether the payment reports a refund of this amount, currency and provider too."""
    said = tuple(registers.value(told, name) for name in ("amount", "currency", "provider"))
    return bool(registers.value(told, "told_by_payment")) and said == money


def _misfit(told: Told, paid: list[Any]) -> str | None:
    """Return whether a refund has another provider or currency than every payment."""
    providers = {provider for _, _, provider, *_ in paid}
    if None not in providers and registers.value(told, "provider") not in providers:
        return "other_provider"
    return None if registers.value(told, "currency") in {currency for _, currency, *_ in paid} else "other_currency"


def apply(refunds: Refunds, webhook: RefundWebhook) -> tuple[Refunds, OutcomeKind, tuple[DomainEvent, ...]]:
    """The order's refunds after the webhook, what became of it, and what is true now that was not before."""
    before = refunds.refunds.get(webhook.notice.refund_id, {})
    when = registers.stamp(TRANSITIONS, webhook.notice.status, webhook.envelope.occurred_at, webhook.envelope.event_id)
    after = tell(refunds, webhook)
    outcome: OutcomeKind = "late" if registers.is_behind(before, when) else "processed"
    return after, outcome, news(refunds, after, webhook)


def tell(refunds: Refunds, webhook: RefundWebhook) -> Refunds:
    """The refunds after a webhook."""
    notice, envelope = webhook.notice, webhook.envelope
    when = registers.stamp(TRANSITIONS, notice.status, envelope.occurred_at, envelope.event_id)
    said = {
        "status": notice.status,
        "amount": notice.amount,
        "currency": None if notice.amount is None else notice.currency,
        "rejection" if notice.status == "rejected" else "reason": notice.reason,
        "refunded_at": notice.refunded_at,
        "provider": envelope.provider,
        "told_by_payment": notice.told_by_payment or None,
        f"{notice.status}@{envelope.occurred_at or 0}": True if notice.status in ENDS else None,
    }
    return _with(refunds, notice.refund_id, registers.tell(refunds.refunds.get(notice.refund_id, {}), when, said))


def request(refunds: Refunds, asked: RefundRequested | CryptoRefundRequested) -> Refunds:
    """The refunds after somebody was asked to give money back: pending, until a provider tells of it."""
    when = registers.stamp(TRANSITIONS, "pending", asked.occurred_at, asked.event_id)
    said: dict[str, Any] = {"status": "pending", "reason": asked.reason, "provider": REQUESTED_BY}
    if isinstance(asked, RefundRequested):
        said |= {"amount": asked.amount, "currency": asked.currency}
    else:
        said |= {"crypto_amount": asked.amount, "crypto_asset": asked.asset}
    return _with(refunds, asked.refund_id, registers.tell(refunds.refunds.get(asked.refund_id, {}), when, said))


def pay(refunds: Refunds, fact: PAYMENTS) -> Refunds:
    """The refunds after a payment of their order was told. A cancel of what was never paid is none."""
    if isinstance(fact, PaymentCancelled) and not fact.refunded_amount:
        return refunds
    when = (0, fact.occurred_at or fact.received_at, 0, fact.event_id)
    released = getattr(fact, "released_amount", None)
    paid = (fact.amount, fact.currency, getattr(fact, "provider", None), released)
    if isinstance(fact, PaymentRefunded):  # its amount is what was given back
        paid = (None, *paid[1:])
        when = (-1, *when[1:])
    return replace(refunds, paid=registers.tell(refunds.paid, when, {fact.transaction_id or "": paid}))


def processed_at(told: Told) -> int | None:
    """When it reached the status it has; None where nobody says so of this status."""
    (rank, _, position, _), at = told.get("refunded_at", (registers.UNTOLD, None))
    status = told["status"][0]
    return at if (rank, position) == (status[0], status[2]) else None


def reason(told: Told) -> str | None:
    """Why it is what it is: of a rejection its own reason, else why the money was to be given back."""
    rejection: str | None = registers.value(told, "rejection")
    asked: str | None = registers.value(told, "reason")
    return (rejection or asked) if registers.value(told, "status") == "rejected" else asked


def merge(refunds: Refunds, other: Refunds) -> Refunds:
    """What was told of both."""
    names = sorted({*refunds.refunds, *other.refunds})
    merged = {name: registers.merge(refunds.refunds.get(name, {}), other.refunds.get(name, {})) for name in names}
    paid = registers.merge(refunds.paid, other.paid)
    return replace(refunds, version=refunds.version + other.version, refunds=merged, paid=paid)


def news(before: Refunds, after: Refunds, cause: RefundWebhook | DomainEvent) -> tuple[DomainEvent, ...]:
    """Return the domain events that hold after a change and did not hold before."""
    known = truths(before)
    return tuple(_announce(truth, after, cause) for truth in truths(after) if truth not in known)


def truths(refunds: Refunds) -> tuple[Truth, ...]:
    """The refunds that are completed, rejected, or do not fit what was paid.

    What the payment tells of too is not told twice: that money was given back, and that it came back.
    """
    misfits = refunds.mismatches
    said: list[Truth] = []
    for refund_id, told in sorted(refunds.counted.items()):
        kind = ANNOUNCED.get(registers.value(told, "status"))
        if refund_id in misfits:
            said.append((RefundMismatched, (refunds.order_id, refund_id, misfits[refund_id])))
        elif kind and not registers.value(told, "told_by_payment"):
            said.append((kind, (refunds.order_id, refund_id, *_again(told))))
    return tuple(said)


def _again(told: Told) -> tuple[str, ...]:
    """Return the number of the time a refund reached its status, empty for the first."""
    ends = [name.partition("@") for name in told if name.partition("@")[0] in ENDS]
    runs = [status for status, _ in groupby(sorted(ends, key=lambda end: (int(end[2]), end[0])), lambda end: end[0])]
    times = runs.count(registers.value(told, "status"))
    return (str(times),) if times > 1 else ()


def _with(refunds: Refunds, refund_id: str, told: Told) -> Refunds:
    return replace(refunds, version=refunds.version + 1, refunds={**refunds.refunds, refund_id: told})


def _announce(truth: Truth, refunds: Refunds, cause: RefundWebhook | DomainEvent) -> DomainEvent:
    kind, key = truth
    told = refunds.refunds[key[1]]
    envelope = cause.envelope if isinstance(cause, RefundWebhook) else cause
    paid = Counter[str]()
    for amount, currency, *_ in (value for _, value in refunds.paid.values()):
        paid[currency] += amount or 0
    currency = registers.value(told, "currency") or "KRW"
    paid_currency = currency if currency in paid else next(iter(sorted(paid)), None)
    said = {
        "event_id": ids.fact_id(kind.__name__, *key),
        "caused_by": envelope.event_id,
        "mode": envelope.mode,
        "occurred_at": envelope.occurred_at,
        "received_at": envelope.received_at,
        "order_id": refunds.order_id,
        "refund_id": key[1],
        "amount": registers.value(told, "amount"),
        "currency": currency,
        "reason": key[2] if kind is RefundMismatched else reason(told),
        "provider": registers.value(told, "provider"),
        "transaction_id": None,
        "paid_amount": paid[paid_currency] or None if paid_currency else None,
        "paid_currency": paid_currency,
    }
    return kind(**{name: said[name] for name in kind.__struct_fields__ if name in said})
