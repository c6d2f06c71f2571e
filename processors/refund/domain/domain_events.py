"""The domain events that hold for an order's refunds, and those that a change makes new."""

from collections import Counter
from itertools import groupby

from processors.refund.domain.refunds import Refunds, reason
from processors.refund.domain.transitions import ENDS, apply_webhook
from stream.events import (
    DomainEvent,
    OutcomeKind,
    RefundCompleted,
    RefundEvent,
    RefundMismatched,
    RefundRejected,
    RefundWebhook,
    ids,
)
from stream.state import registers
from stream.state.registers import Registers

EVENT_BY_STATUS: dict[str, type[RefundEvent]] = {"completed": RefundCompleted, "rejected": RefundRejected}

EventKey = tuple[type[RefundEvent] | type[RefundMismatched], tuple[str, ...]]
"""The type of a domain event, and the parts of its id: the order, the refund, and the occurrence if it recurs."""


def apply(refunds: Refunds, webhook: RefundWebhook) -> tuple[Refunds, OutcomeKind, tuple[DomainEvent, ...]]:
    """Return the refunds after a webhook, the webhook's outcome, and the new domain events."""
    after, outcome = apply_webhook(refunds, webhook)
    return after, outcome, new_events(refunds, after, webhook)


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
