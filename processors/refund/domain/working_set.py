"""The refunds and aliases of one batch. A refund without an order id waits until one of its aliases is mapped."""

from dataclasses import dataclass

import msgspec

from processors.refund.domain.domain_events import new_events
from processors.refund.domain.refunds import Refunds
from processors.refund.domain.transitions import PaidEvent, apply_payment, apply_request, apply_webhook, merge
from stream.events import CryptoRefundRequested, DomainEvent, OrderId, OutcomeKind, RefundRequested, RefundWebhook
from stream.state import aliases
from stream.state.aliases import NO_ORDER, Alias, AliasKey
from stream.state.fold import Result


@dataclass(slots=True)
class RefundWorkingSet:
    """The refunds and aliases that a batch may change; `apply` replaces the entries that it changes.

    `aliases` must hold an entry for every alias that the batch names, and `refunds` one for every order that `touches`
    returns.
    """

    refunds: dict[OrderId, Refunds]
    aliases: dict[AliasKey, Alias[Refunds]]

    def touches(self, event: RefundWebhook | DomainEvent) -> OrderId | None:
        """Return the id of the order whose refunds this event may change; None if it changes none or names no order.

        An event about a payment may change them by mapping an alias under which refunds are pending.
        """
        known = aliases_of(event)
        order_id = _order_of(event) or aliases.order_of(self.aliases, known)
        is_input = isinstance(event, RefundWebhook | RefundRequested | CryptoRefundRequested | PaidEvent)
        # An unmapped alias may get pending refunds within this batch.
        return order_id if is_input or any(self.aliases[name].order_id is None for name in known) else None

    def apply(self, event: RefundWebhook | DomainEvent) -> Result:
        """Apply one event to the refunds of its order; while the order is unknown, store a refund under its main alias.

        A stored refund is `waiting` until an event of one of its aliases names the order; the result of that event
        releases the refund. An event about a payment whose refunds are not in the working set only maps aliases.
        """
        known = aliases_of(event)
        order_id = _order_of(event) or aliases.order_of(self.aliases, known)
        if isinstance(event, RefundWebhook) and order_id is None:
            return self._store_pending(known[0], event)
        mapped = aliases.map_to_order(self.aliases, known, order_id) if order_id else []
        if order_id in self.refunds:
            return self._apply(order_id, event, mapped)
        return Result(order_id or "", "processed", ())

    def _apply(self, order_id: OrderId, event: RefundWebhook | DomainEvent, mapped: list[Alias[Refunds]]) -> Result:
        refunds = before = self.refunds[order_id]
        released: tuple[str, ...] = ()
        for alias in mapped:
            refunds = merge(refunds, alias.pending) if alias.pending else refunds
            released += alias.waiting
        outcome: OutcomeKind = "processed"
        if isinstance(event, RefundWebhook):
            refunds, outcome = apply_webhook(refunds, event)
        elif isinstance(event, RefundRequested | CryptoRefundRequested):
            refunds = apply_request(refunds, event)
        elif isinstance(event, PaidEvent):
            refunds = apply_payment(refunds, event)
        # Any other event about a payment only maps an alias.
        self.refunds[order_id] = refunds
        return Result(order_id, outcome, new_events(before, refunds, event), released)

    def _store_pending(self, alias: AliasKey, webhook: RefundWebhook) -> Result:
        known = self.aliases[alias]
        pending, _ = apply_webhook(known.pending or Refunds(NO_ORDER), webhook)
        self.aliases[alias] = msgspec.structs.replace(
            known, pending=pending, waiting=(*known.waiting, webhook.envelope.event_id)
        )
        return Result(":".join(alias), "waiting", ())


def _order_of(event: RefundWebhook | DomainEvent) -> OrderId | None:
    """Return the id of the order that an event names; else `invoice:{id}` for a crypto invoice's refund, or None."""
    if isinstance(event, RefundWebhook):
        return event.payload.order_id
    of_invoice = OrderId(f"invoice:{event.invoice_id}") if isinstance(event, CryptoRefundRequested) else None
    return event.order_id or of_invoice


def aliases_of(event: RefundWebhook | DomainEvent) -> list[AliasKey]:
    """Return the payment's aliases at its provider: those that a refund names, or a payment event's transaction id.

    Empty for an event that names no provider or no transaction.
    """
    if isinstance(event, RefundWebhook):
        return aliases.alias_keys(event.envelope.provider, event.payload.alias, event.payload.aliases)
    provider, transaction = getattr(event, "provider", None), getattr(event, "transaction_id", None)
    return [(provider, transaction)] if provider and transaction else []
