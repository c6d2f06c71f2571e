"""What the refunds of an order are after any set of webhooks. Pure; the same in whatever order they come.

An order's refunds are a set, keyed by refund id: the total is the sum over the completed ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from stream import ids, registers
from stream.events import Fact, OutcomeKind, RefundCompleted, RefundFact, RefundRejected, RefundWebhook
from stream.registers import Told

TRANSITIONS = (
    ("pending",),
    ("processing",),
    ("rejected",),
    ("completed",),
)
"""A status may follow those of its own tier and of the tiers above it; what comes later than its turn is `late`."""

ANNOUNCED: dict[str, type[RefundFact]] = {"completed": RefundCompleted, "rejected": RefundRejected}


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
    notice, envelope = webhook.notice, webhook.envelope
    when = registers.stamp(TRANSITIONS, notice.status, envelope.occurred_at, envelope.event_id)
    said = {
        "status": notice.status,
        "amount": notice.amount,
        "currency": None if notice.amount is None else notice.currency,
        "reason": notice.reason,
        "refunded_at": notice.refunded_at,
        "provider": envelope.provider,
    }
    before = refunds.refunds.get(notice.refund_id, {})
    told = registers.tell(before, when, said)
    outcome: OutcomeKind = "late" if registers.is_behind(before, when) else "processed"
    after = replace(refunds, version=refunds.version + 1, refunds={**refunds.refunds, notice.refund_id: told})
    kind = ANNOUNCED.get(registers.value(told, "status"))
    news = kind is not None and registers.value(told, "status") != registers.value(before, "status")
    return after, outcome, (_announce(kind, notice.refund_id, after, webhook),) if kind and news else ()


def _announce(kind: type[RefundFact], refund_id: str, refunds: Refunds, cause: RefundWebhook) -> RefundFact:
    told, envelope = refunds.refunds[refund_id], cause.envelope
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
        reason=registers.value(told, "reason"),
    )
