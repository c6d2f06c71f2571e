"""Builds the domain events of an order's refunds, each from their state after the change that makes it hold."""

import msgspec

from processors.refund.domain.published_state import refund_state
from processors.refund.domain.refunds import Refunds
from stream.events import (
    DomainEvent,
    EventHeader,
    RefundEvent,
    RefundMismatched,
    RefundUpdated,
    RefundWebhook,
    ids,
)
from stream.state.money import DEFAULT_CURRENCY

EventKey = tuple[type[RefundEvent] | type[RefundMismatched], tuple[str, ...]]
"""The type of a domain event, and the parts of its id: the order, the refund, and its occurrence from the second on.

The third part of RefundMismatched is the reason.
"""


def build_event(event_key: EventKey, refunds: Refunds, cause: RefundWebhook | DomainEvent) -> DomainEvent:
    """Build the domain event of a key from the state of its refund. Raises KeyError if the order has no such refund."""
    kind, key = event_key
    refund_id = key[1]
    refund = refunds.refunds[refund_id]
    currency = refund.registers.currency.value or DEFAULT_CURRENCY
    envelope = cause.envelope if isinstance(cause, RefundWebhook) else cause
    header = EventHeader(
        event_id=ids.domain_event_id(kind.__name__, *key),
        caused_by=envelope.event_id,
        mode=envelope.mode,
        occurred_at=envelope.occurred_at,
        received_at=envelope.received_at,
        order_id=refunds.order_id,
    )
    amount = refund.registers.amount.value
    if not issubclass(kind, RefundMismatched):
        state = refund_state(refunds)
        return kind(**header, refund_id=refund_id, amount=amount, currency=currency, reason=refund.reason, state=state)
    paid = refunds.paid_amounts
    paid_currency = currency if currency in paid else next(iter(sorted(paid)), None)
    return RefundMismatched(
        **header,
        refund_id=refund_id,
        provider=refund.registers.provider.value,
        transaction_id=None,
        amount=amount,
        currency=currency,
        paid_amount=paid[paid_currency] or None if paid_currency else None,
        paid_currency=paid_currency,
        reason=key[2],
    )


def updates(before: Refunds, after: Refunds, cause: RefundWebhook | DomainEvent) -> tuple[RefundUpdated, ...]:
    """Return RefundUpdated if the columns of the order view changed, else nothing."""
    was, state = refund_state(before), refund_state(after)
    if msgspec.structs.replace(was, revision=state.revision) == state:
        return ()
    envelope = cause.envelope if isinstance(cause, RefundWebhook) else cause
    event = RefundUpdated(
        event_id=ids.domain_event_id("RefundUpdated", after.order_id, *map(str, state.revision)),
        caused_by=envelope.event_id,
        mode=envelope.mode,
        occurred_at=envelope.occurred_at,
        received_at=envelope.received_at,
        order_id=after.order_id,
        state=state,
    )
    return (event,)
