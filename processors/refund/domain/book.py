"""Orders and the providers' own names for their payments: a refund that names no order waits until one is known."""

from dataclasses import dataclass, replace

from processors.refund.domain.refunds import PAYMENTS, Refunds, apply, merge, news, pay, request, tell
from stream.events import CryptoRefundRequested, DomainEvent, OutcomeKind, RefundRequested, RefundWebhook
from stream.state import aliases
from stream.state.aliases import Alias, AliasKey
from stream.state.fold import Result


@dataclass(slots=True)
class Book:
    """The orders and names a batch touches; `post` replaces what changes."""

    refunds: dict[str, Refunds]
    names: dict[AliasKey, Alias[Refunds]]

    def touches(self, event: RefundWebhook | DomainEvent) -> str | None:
        """The order whose refunds this event may change; a payment's fact changes them only by what waits for it."""
        known = names(event)
        order_id = _order_of(event) or aliases.order_of(self.names, known)
        is_news = isinstance(event, RefundWebhook | RefundRequested | CryptoRefundRequested | PAYMENTS)
        # Any of these names may come to wait in this very batch, unless it stands for an order already.
        return order_id if is_news or any(self.names[name].order_id is None for name in known) else None

    def post(self, event: RefundWebhook | DomainEvent) -> Result:
        """Apply one event to its order's refunds; without an order, keep what it says under its name."""
        known = names(event)
        named = aliases.order_of(self.names, known)
        order_id = _order_of(event) or named
        if isinstance(event, RefundWebhook) and order_id is None:
            return self._keep(known[0], event)
        adopted = aliases.map_to_order(self.names, known, order_id) if order_id else []
        if order_id in self.refunds:
            return self._apply(order_id, event, adopted)
        return Result(order_id or "", "processed", ())

    def _apply(self, order_id: str, event: RefundWebhook | DomainEvent, adopted: list[Alias[Refunds]]) -> Result:
        refunds = before = self.refunds[order_id]
        woken: tuple[str, ...] = ()
        for name in adopted:
            refunds = merge(refunds, name.orphan) if name.orphan else refunds
            woken += name.waiting
        outcome: OutcomeKind = "processed"
        if isinstance(event, RefundWebhook):
            refunds, outcome, _ = apply(refunds, event)
        elif isinstance(event, RefundRequested | CryptoRefundRequested):
            refunds = request(refunds, event)
        elif isinstance(event, PAYMENTS):
            refunds = pay(refunds, event)
        self.refunds[order_id] = refunds
        return Result(order_id, outcome, news(before, refunds, event), woken)

    def _keep(self, name: AliasKey, webhook: RefundWebhook) -> Result:
        known = self.names[name]
        waiting = (*known.waiting, webhook.envelope.event_id)
        self.names[name] = replace(known, orphan=tell(known.orphan or Refunds(""), webhook), waiting=waiting)
        return Result(":".join(name), "waiting", ())


def _order_of(event: RefundWebhook | DomainEvent) -> str | None:
    """The order an event names; a crypto invoice without one is its own."""
    if isinstance(event, RefundWebhook):
        return event.notice.order_id
    return event.order_id or (f"invoice:{event.invoice_id}" if isinstance(event, CryptoRefundRequested) else None)


def names(event: RefundWebhook | DomainEvent) -> list[AliasKey]:
    """All names of the payment at its provider: a refund goes by them, and a payment's facts tell whose they are."""
    if isinstance(event, RefundWebhook):
        return aliases.alias_keys(event.envelope.provider, event.notice.reference, event.notice.references)
    provider, transaction = getattr(event, "provider", None), getattr(event, "transaction_id", None)
    return [(provider, transaction)] if provider and transaction else []
