"""The state of an order's refunds, keyed by refund id. The total is the sum of the completed refunds."""

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

EVENT_BY_STATUS: dict[str, type[RefundEvent]] = {"completed": RefundCompleted, "rejected": RefundRejected}
REQUESTED_BY = "hookstream"
"""The provider of a refund that this system requested and no provider has reported yet."""

PaidEvent = PaymentCompleted | AmountMismatched | PaymentOverpaid | PaymentCancelled | PaymentRefunded
"""The domain events that state how much was paid for an order; refunds are compared with them."""

ENDS = ("completed", "rejected")
EventKey = tuple[type[RefundEvent] | type[RefundMismatched], tuple[str, ...]]
"""The type of a domain event, and the parts of its id: the order, the refund, and the occurrence if it recurs."""


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


def apply(refunds: Refunds, webhook: RefundWebhook) -> tuple[Refunds, OutcomeKind, tuple[DomainEvent, ...]]:
    """Return the refunds after a webhook, the webhook's outcome, and the new domain events."""
    before = refunds.refunds.get(webhook.notice.refund_id, {})
    stamp = registers.stamp(TRANSITIONS, webhook.notice.status, webhook.envelope.occurred_at, webhook.envelope.event_id)
    after = apply_webhook(refunds, webhook)
    outcome: OutcomeKind = "late" if registers.is_behind(before, stamp) else "processed"
    return after, outcome, new_events(refunds, after, webhook)


def apply_webhook(refunds: Refunds, webhook: RefundWebhook) -> Refunds:
    """Return the refunds after a webhook."""
    notice, envelope = webhook.notice, webhook.envelope
    stamp = registers.stamp(TRANSITIONS, notice.status, envelope.occurred_at, envelope.event_id)
    fields = {
        "status": notice.status,
        "amount": notice.amount,
        "currency": None if notice.amount is None else notice.currency,
        "rejection" if notice.status == "rejected" else "reason": notice.reason,
        "refunded_at": notice.refunded_at,
        "provider": envelope.provider,
        "told_by_payment": notice.told_by_payment or None,
        f"{notice.status}@{envelope.occurred_at or 0}": True if notice.status in ENDS else None,
    }
    return _with_refund(
        refunds, notice.refund_id, registers.update(refunds.refunds.get(notice.refund_id, {}), stamp, fields)
    )


def apply_request(refunds: Refunds, requested: RefundRequested | CryptoRefundRequested) -> Refunds:
    """Add a requested refund, which is pending until its provider reports it."""
    stamp = registers.stamp(TRANSITIONS, "pending", requested.occurred_at, requested.event_id)
    fields: dict[str, Any] = {"status": "pending", "reason": requested.reason, "provider": REQUESTED_BY}
    if isinstance(requested, RefundRequested):
        fields |= {"amount": requested.amount, "currency": requested.currency}
    else:
        fields |= {"crypto_amount": requested.amount, "crypto_asset": requested.asset}
    return _with_refund(
        refunds, requested.refund_id, registers.update(refunds.refunds.get(requested.refund_id, {}), stamp, fields)
    )


def apply_payment(refunds: Refunds, event: PaidEvent) -> Refunds:
    """Record what was paid for the order. A cancel that refunded nothing states no payment."""
    if isinstance(event, PaymentCancelled) and not event.refunded_amount:
        return refunds
    stamp = (0, event.occurred_at or event.received_at, 0, event.event_id)
    released = getattr(event, "released_amount", None)
    paid = (event.amount, event.currency, getattr(event, "provider", None), released)
    if isinstance(event, PaymentRefunded):  # its amount is the amount refunded
        paid = (None, *paid[1:])
        stamp = (-1, *stamp[1:])
    return replace(refunds, paid=registers.update(refunds.paid, stamp, {event.transaction_id or "": paid}))


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


def merge(refunds: Refunds, other: Refunds) -> Refunds:
    """Merge two states of one order's refunds."""
    names = sorted({*refunds.refunds, *other.refunds})
    merged = {name: registers.merge(refunds.refunds.get(name, {}), other.refunds.get(name, {})) for name in names}
    paid = registers.merge(refunds.paid, other.paid)
    return replace(refunds, version=refunds.version + other.version, refunds=merged, paid=paid)


def new_events(before: Refunds, after: Refunds, cause: RefundWebhook | DomainEvent) -> tuple[DomainEvent, ...]:
    """Return the domain events that hold after a change and did not hold before."""
    known = event_keys(before)
    return tuple(_build_event(key, after, cause) for key in event_keys(after) if key not in known)


def event_keys(refunds: Refunds) -> tuple[EventKey, ...]:
    """Return the keys of the events that hold: for refunds completed, rejected, or not fitting the payment.

    The completion or rejection of a refund that its payment reports too is left out: the payment processor publishes
    it.
    """
    mismatches = refunds.mismatches
    keys: list[EventKey] = []
    for refund_id, state in sorted(refunds.counted.items()):
        kind = EVENT_BY_STATUS.get(registers.value(state, "status"))
        if refund_id in mismatches:
            keys.append((RefundMismatched, (refunds.order_id, refund_id, mismatches[refund_id])))
        elif kind and not registers.value(state, "told_by_payment"):
            keys.append((kind, (refunds.order_id, refund_id, *_occurrence(state))))
    return tuple(keys)


def _occurrence(state: Registers) -> tuple[str, ...]:
    """Return the number of times the refund has reached its status; empty for the first time."""
    ends = [name.partition("@") for name in state if name.partition("@")[0] in ENDS]
    runs = [status for status, _ in groupby(sorted(ends, key=lambda end: (int(end[2]), end[0])), lambda end: end[0])]
    times = runs.count(registers.value(state, "status"))
    return (str(times),) if times > 1 else ()


def _with_refund(refunds: Refunds, refund_id: str, state: Registers) -> Refunds:
    return replace(refunds, version=refunds.version + 1, refunds={**refunds.refunds, refund_id: state})


def _build_event(event_key: EventKey, refunds: Refunds, cause: RefundWebhook | DomainEvent) -> DomainEvent:
    kind, key = event_key
    state = refunds.refunds[key[1]]
    envelope = cause.envelope if isinstance(cause, RefundWebhook) else cause
    paid = Counter[str]()
    for amount, currency, *_ in (value for _, value in refunds.paid.values()):
        paid[currency] += amount or 0
    currency = registers.value(state, "currency") or "KRW"
    paid_currency = currency if currency in paid else next(iter(sorted(paid)), None)
    fields = {
        "event_id": ids.domain_event_id(kind.__name__, *key),
        "caused_by": envelope.event_id,
        "mode": envelope.mode,
        "occurred_at": envelope.occurred_at,
        "received_at": envelope.received_at,
        "order_id": refunds.order_id,
        "refund_id": key[1],
        "amount": registers.value(state, "amount"),
        "currency": currency,
        "reason": key[2] if kind is RefundMismatched else reason(state),
        "provider": registers.value(state, "provider"),
        "transaction_id": None,
        "paid_amount": paid[paid_currency] or None if paid_currency else None,
        "paid_currency": paid_currency,
    }
    return kind(**{name: fields[name] for name in kind.__struct_fields__ if name in fields})
