"""Orders and the providers' own names for their payments: an event that names no order waits until one is known."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from processors.payment.domain import dispute
from processors.payment.domain.facts import OrdersPolicy, news
from processors.payment.domain.payment import Payment
from processors.payment.domain.tell import merge, release, tell
from stream.events import (
    BillingScheduled,
    BillingWebhook,
    DisputeWebhook,
    OrderWebhook,
    PaymentWebhook,
    RefundWebhook,
    ids,
)
from stream.state import aliases
from stream.state.aliases import Alias, AliasKey
from stream.state.fold import Result


@dataclass(slots=True)
class Book:
    """The orders and names a batch touches; `post` replaces what changes."""

    payments: dict[str, Payment]
    names: dict[AliasKey, Alias[Payment]]
    orders: OrdersPolicy = "optional"

    def post(self, webhook: PaymentWebhook | DisputeWebhook | RefundWebhook | BillingWebhook | OrderWebhook) -> Result:
        """Apply one webhook to its order; without one, keep what it says under its name.

        Refunds that their payment does not tell of are no concern of the payment.
        """
        if isinstance(webhook, RefundWebhook) and not webhook.notice.told_by_payment:
            return Result(webhook.notice.order_id or webhook.notice.refund_id, "processed", ())
        if isinstance(webhook, OrderWebhook):
            return self._apply(webhook.notice.order_id, webhook, ())
        if isinstance(webhook, BillingWebhook):
            return _scheduled(webhook)
        known = names(webhook)
        order_id = webhook.notice.order_id or aliases.order_of(self.names, known)
        if order_id is None:
            return self._keep(known[0], webhook)
        return self._apply(order_id, webhook, aliases.map_to_order(self.names, known, order_id))

    def _apply(
        self,
        order_id: str,
        webhook: PaymentWebhook | DisputeWebhook | RefundWebhook | OrderWebhook,
        adopted: Iterable[Alias[Payment]],
    ) -> Result:
        payment = before = self.payments[order_id]
        woken: tuple[str, ...] = ()
        for name in adopted:
            payment = merge(payment, name.orphan) if name.orphan else payment
            woken += name.waiting
        payment, outcome = tell(payment, webhook)
        payment, released = release(payment)
        self.payments[order_id] = payment
        return Result(order_id, outcome, news(before, payment, webhook, self.orders), (*woken, *released))

    def _keep(self, name: AliasKey, webhook: PaymentWebhook | DisputeWebhook | RefundWebhook) -> Result:
        """A dispute has a deadline: it is told at once, and again when its order is known."""
        known = self.names[name]
        before = known.orphan or Payment("")
        orphan, _ = tell(before, webhook)
        self.names[name] = replace(known, orphan=orphan, waiting=(*known.waiting, webhook.envelope.event_id))
        return Result(":".join(name), "waiting", dispute.news(before, orphan, webhook))


def names(webhook: PaymentWebhook | DisputeWebhook | RefundWebhook) -> list[AliasKey]:
    """All names of the payment at its provider, the one it goes by first."""
    if isinstance(webhook, RefundWebhook) and not webhook.notice.told_by_payment:
        return []
    notice, provider = webhook.notice, webhook.envelope.provider
    return aliases.alias_keys(provider, notice.reference, notice.references)


def _scheduled(webhook: BillingWebhook) -> Result:
    """A date for the subscription to know; the payment itself is what it was."""
    notice, envelope = webhook.notice, webhook.envelope
    name = notice.order_id or f"{envelope.provider}:{notice.reference}"
    fact = BillingScheduled(
        event_id=ids.fact_id("BillingScheduled", name, str(notice.next_billing_at or envelope.event_id)),
        caused_by=envelope.event_id,
        mode=envelope.mode,
        occurred_at=envelope.occurred_at,
        received_at=envelope.received_at,
        order_id=notice.order_id,
        provider=envelope.provider,
        next_billing_at=notice.next_billing_at,
        amount=notice.amount,
        currency=notice.currency,
    )
    return Result(name, "processed", (fact,))
