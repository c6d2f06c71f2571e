"""Orders and the providers' own names for their payments: an event that names no order waits until one is known."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from processors.payment.domain.facts import OrdersPolicy, news
from processors.payment.domain.payment import Payment, merge, tell, tell_order
from stream import ids
from stream.events import BillingScheduled, BillingWebhook, OrderWebhook, PaymentWebhook
from stream.fold import Result

Name = tuple[str, str]
"""A provider, and what it calls a payment."""


@dataclass(frozen=True, slots=True)
class Referred:
    """What a name stands for: an order once it is known, and until then all that was told under the name alone."""

    order_id: str | None = None
    orphan: Payment = field(default_factory=lambda: Payment(""))
    waiting: tuple[str, ...] = ()


@dataclass(slots=True)
class Book:
    """The orders and names a batch touches; `post` replaces what changes."""

    payments: dict[str, Payment]
    names: dict[Name, Referred]
    orders: OrdersPolicy = "optional"

    def post(self, webhook: PaymentWebhook | BillingWebhook | OrderWebhook) -> Result:
        """Apply one webhook to its order; without one, keep what it says under its name."""
        if isinstance(webhook, OrderWebhook):
            return self._apply(webhook.notice.order_id, webhook, ())
        if isinstance(webhook, BillingWebhook):
            return _scheduled(webhook)
        known = names(webhook)
        order_id = webhook.notice.order_id or next(filter(None, (self.names[name].order_id for name in known)), None)
        if order_id is None:
            return self._keep(known[0], webhook)
        return self._apply(order_id, webhook, self._map(known, order_id))

    def _map(self, known: Iterable[Name], order_id: str) -> list[Referred]:
        """Let these names stand for the order; those that did not before, with what was told under them."""
        learned = [name for name in known if self.names[name].order_id is None]
        before = [self.names[name] for name in learned]
        self.names.update(dict.fromkeys(learned, Referred(order_id)))
        return before

    def _apply(self, order_id: str, webhook: PaymentWebhook | OrderWebhook, adopted: Iterable[Referred]) -> Result:
        payment = before = self.payments[order_id]
        woken: tuple[str, ...] = ()
        for name in adopted:
            payment, woken = merge(payment, name.orphan), woken + name.waiting
        said = tell_order(payment, webhook) if isinstance(webhook, OrderWebhook) else tell(payment, webhook)
        payment, outcome = said
        self.payments[order_id] = payment
        return Result(order_id, outcome, news(before, payment, webhook, self.orders), woken)

    def _keep(self, name: Name, webhook: PaymentWebhook) -> Result:
        known = self.names[name]
        orphan, _ = tell(known.orphan, webhook)
        self.names[name] = replace(known, orphan=orphan, waiting=(*known.waiting, webhook.envelope.event_id))
        return Result(":".join(name), "waiting", ())


def names(webhook: PaymentWebhook) -> list[Name]:
    """All names of the payment at its provider, the one it goes by first."""
    notice, provider = webhook.notice, webhook.envelope.provider
    given = ([notice.reference] if notice.reference else []) + list(notice.references)
    return [(provider, name) for name in dict.fromkeys(given)]


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
