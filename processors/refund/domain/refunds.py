"""An order's refunds are a set, keyed by refund id: the total is the sum over the completed ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stream import ids, registers
from stream.events import (
    CryptoRefundRequested,
    Fact,
    OutcomeKind,
    RefundCompleted,
    RefundFact,
    RefundRejected,
    RefundRequested,
    RefundWebhook,
)
from stream.registers import Told

TRANSITIONS = (
    ("pending",),
    ("processing",),
    ("rejected", "completed"),
)
"""A status may follow those of its own tier and of the tiers above it; what comes later than its turn is `late`.

A bank may send back what was given back already (Stripe: succeeded → failed): one tier, so that the later of the two
holds.
"""

ANNOUNCED: dict[str, type[RefundFact]] = {"completed": RefundCompleted, "rejected": RefundRejected}
REQUESTED_BY = "hookstream"
"""The provider of a refund that only we asked for."""


@dataclass(frozen=True, slots=True)
class Refunds:
    """All that was told of each refund of one order."""

    order_id: str
    version: int = 0
    refunds: Mapping[str, Told] = field(default_factory=dict)

    @property
    def refunded_amount(self) -> int:
        """What was given back, in minor units."""
        completed = [told for told in self.refunds.values() if registers.value(told, "status") == "completed"]
        return sum(registers.value(told, "amount") or 0 for told in completed)

    @property
    def status(self) -> str | None:
        """The status of the refund that has come furthest, and of two such, of the later one."""
        newest = max(self.refunds.values(), key=lambda told: told["status"][0], default=None)
        return registers.value(newest, "status") if newest else None


def apply(refunds: Refunds, webhook: RefundWebhook) -> tuple[Refunds, OutcomeKind, tuple[Fact, ...]]:
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


def reason(told: Told) -> str | None:
    """Why it is what it is: of a rejection its own reason, else why the money was to be given back."""
    rejection: str | None = registers.value(told, "rejection")
    asked: str | None = registers.value(told, "reason")
    return (rejection or asked) if registers.value(told, "status") == "rejected" else asked


def merge(refunds: Refunds, other: Refunds) -> Refunds:
    """What was told of both."""
    names = sorted({*refunds.refunds, *other.refunds})
    merged = {name: registers.merge(refunds.refunds.get(name, {}), other.refunds.get(name, {})) for name in names}
    return replace(refunds, version=refunds.version + other.version, refunds=merged)


def news(before: Refunds, after: Refunds, cause: RefundWebhook | Fact) -> tuple[Fact, ...]:
    """The refunds that are completed or rejected now and were not before.

    What the payment tells of too is not told twice: that money was given back, and that it came back.
    """
    return tuple(
        _announce(kind, refund_id, after, cause)
        for refund_id, told in after.refunds.items()
        if (kind := ANNOUNCED.get(registers.value(told, "status")))
        and registers.value(before.refunds.get(refund_id, {}), "status") != registers.value(told, "status")
        and not registers.value(told, "told_by_payment")
    )


def _with(refunds: Refunds, refund_id: str, told: Told) -> Refunds:
    return replace(refunds, version=refunds.version + 1, refunds={**refunds.refunds, refund_id: told})


def _announce(kind: type[RefundFact], refund_id: str, refunds: Refunds, cause: RefundWebhook | Fact) -> RefundFact:
    told = refunds.refunds[refund_id]
    envelope = cause.envelope if isinstance(cause, RefundWebhook) else cause
    return kind(
        event_id=ids.fact_id(kind.__name__, refunds.order_id, refund_id),
        caused_by=envelope.event_id,
        mode=envelope.mode,
        occurred_at=envelope.occurred_at,
        received_at=envelope.received_at,
        order_id=refunds.order_id,
        refund_id=refund_id,
        amount=registers.value(told, "amount"),
        currency=registers.value(told, "currency") or "KRW",
        reason=reason(told),
    )
