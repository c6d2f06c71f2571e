"""The refunds and aliases of one batch. A refund without an order id waits until one of its aliases is mapped."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from processors.refund.domain.domain_events import new_events
from processors.refund.domain.refunds import Refunds
from processors.refund.domain.transitions import PaidEvent, apply_payment, apply_request, apply_webhook, merge
from stream.events import CryptoRefundRequested, DomainEvent, OrderId, OutcomeKind, RefundRequested, RefundWebhook
from stream.state import aliases
from stream.state.aliases import NO_ORDER, Alias, AliasKey
from stream.state.fold import Result

RefundInput = RefundWebhook | DomainEvent


@dataclass(slots=True)
class RefundWorkingSet:
    """The refunds and aliases that a batch may change; `apply` replaces the entries that it changes.

    `aliases` must hold an entry for every alias of the batch (`aliases_of`), and `refunds` one for every order that
    `touched_order` returns.
    """

    refunds: dict[OrderId, Refunds]
    aliases: dict[AliasKey, Alias[Refunds]]
    _refunds_before: dict[OrderId, Refunds] = field(init=False)
    _aliases_before: dict[AliasKey, Alias[Refunds]] = field(init=False)

    def __post_init__(self) -> None:
        self._refunds_before, self._aliases_before = dict(self.refunds), dict(self.aliases)

    @property
    def changed_aliases(self) -> dict[AliasKey, Alias[Refunds]]:
        """The aliases that were mapped to an order, or got pending state, since the working set was made."""
        return {key: alias for key, alias in self.aliases.items() if alias is not self._aliases_before[key]}

    @property
    def changed_refunds(self) -> list[Refunds]:
        """The refunds of each order that an event has changed since the working set was made."""
        before = self._refunds_before
        return [refunds for order_id, refunds in self.refunds.items() if refunds is not before[order_id]]

    def apply(self, event: RefundInput) -> Result:
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

    def _apply(self, order_id: OrderId, event: RefundInput, mapped: list[Alias[Refunds]]) -> Result:
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


def aliases_of(event: RefundInput) -> list[AliasKey]:
    """Return the payment's aliases at its provider: those that a refund names, or a payment event's transaction id.

    Empty for an event that names no provider or no transaction.
    """
    if isinstance(event, RefundWebhook):
        return aliases.alias_keys(event.envelope.provider, event.payload.alias, event.payload.aliases)
    provider, transaction = getattr(event, "provider", None), getattr(event, "transaction_id", None)
    return [(provider, transaction)] if provider and transaction else []


def touched_order(event: RefundInput, known: Mapping[AliasKey, Alias[Refunds]]) -> OrderId | None:
    """Return the id of the order whose refunds an event may change; None if it changes none or names no order.

    The event names the order itself or by an alias mapped to it in `known`. An event about a payment may change the
    refunds by mapping an alias under which some are pending. Raises KeyError for an alias that is not in `known`.
    """
    keys = aliases_of(event)
    order_id = _order_of(event) or aliases.order_of(known, keys)
    is_input = isinstance(event, RefundWebhook | RefundRequested | CryptoRefundRequested | PaidEvent)
    # An unmapped alias may get pending refunds within this batch.
    return order_id if is_input or any(known[key].order_id is None for key in keys) else None


def _order_of(event: RefundInput) -> OrderId | None:
    """Return the id of the order that an event names; else `invoice:{id}` for a crypto invoice's refund, or None."""
    if isinstance(event, RefundWebhook):
        return event.payload.order_id
    of_invoice = OrderId(f"invoice:{event.invoice_id}") if isinstance(event, CryptoRefundRequested) else None
    return event.order_id or of_invoice
