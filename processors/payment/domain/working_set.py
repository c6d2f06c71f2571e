"""The payments and aliases of one batch. A webhook without an order id waits until one of its aliases is mapped."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeGuard

import msgspec

from processors.payment.domain import dispute
from processors.payment.domain.domain_events import OrdersPolicy, new_events
from processors.payment.domain.payment import Payment
from processors.payment.domain.transitions import apply_webhook, merge, release_claims
from stream.events import (
    BillingScheduled,
    BillingWebhook,
    DisputeWebhook,
    OrderId,
    OrderWebhook,
    PaymentWebhook,
    RefundWebhook,
    ids,
)
from stream.state import aliases
from stream.state.aliases import NO_ORDER, Alias, AliasKey
from stream.state.fold import Result

PaymentInput = PaymentWebhook | DisputeWebhook | RefundWebhook | BillingWebhook | OrderWebhook


@dataclass(slots=True)
class PaymentWorkingSet:
    """The payments and aliases that a batch may change; `apply` replaces the entries that it changes.

    `aliases` must hold an entry for every alias of the batch (`aliases_of`), and `payments` one for every order that
    `touched_order` returns.
    """

    payments: dict[OrderId, Payment]
    aliases: dict[AliasKey, Alias[Payment]]
    orders: OrdersPolicy = "optional"
    _payments_before: dict[OrderId, Payment] = field(init=False)
    _aliases_before: dict[AliasKey, Alias[Payment]] = field(init=False)

    def __post_init__(self) -> None:
        self._payments_before, self._aliases_before = dict(self.payments), dict(self.aliases)

    @property
    def changed_aliases(self) -> dict[AliasKey, Alias[Payment]]:
        """The aliases that were mapped to an order, or got pending state, since the working set was made."""
        return {key: alias for key, alias in self.aliases.items() if alias is not self._aliases_before[key]}

    @property
    def changed_orders(self) -> list[Payment]:
        """The payments whose row in `orders` must be written: the shop's order has changed, or the unpaid entries."""
        pairs = ((self._payments_before[order_id], payment) for order_id, payment in self.payments.items())
        return [
            after
            for before, after in pairs
            if after.order is not before.order or after.unpaid_entries != before.unpaid_entries
        ]

    def apply(self, webhook: PaymentInput) -> Result:
        """Apply one webhook to the payment of its order; while the order is unknown, store it under its main alias.

        A stored webhook is `waiting` until a webhook of one of its aliases names the order; the result of the latter
        releases the former. A refund that its payment does not report changes no payment, and neither does a
        BillingWebhook, which only publishes BillingScheduled.
        """
        if is_unreported_refund(webhook):
            return Result(webhook.payload.order_id or webhook.payload.refund_id, "processed", ())
        if isinstance(webhook, OrderWebhook):
            return self._apply(webhook.payload.order_id, webhook, ())
        if isinstance(webhook, BillingWebhook):
            return _billing_result(webhook)
        known = aliases_of(webhook)
        order_id = webhook.payload.order_id or aliases.order_of(self.aliases, known)
        if order_id is None:
            return self._store_pending(known[0], webhook)
        return self._apply(order_id, webhook, aliases.map_to_order(self.aliases, known, order_id))

    def _apply(
        self,
        order_id: OrderId,
        webhook: PaymentWebhook | DisputeWebhook | RefundWebhook | OrderWebhook,
        mapped: Iterable[Alias[Payment]],
    ) -> Result:
        payment = before = self.payments[order_id]
        released: tuple[str, ...] = ()
        for alias in mapped:
            payment = merge(payment, alias.pending) if alias.pending else payment
            released += alias.waiting
        payment, outcome = apply_webhook(payment, webhook)
        payment, fitting = release_claims(payment)
        self.payments[order_id] = payment
        return Result(order_id, outcome, new_events(before, payment, webhook, self.orders), (*released, *fitting))

    def _store_pending(self, alias: AliasKey, webhook: PaymentWebhook | DisputeWebhook | RefundWebhook) -> Result:
        """Store a webhook under its alias.

        A dispute has a deadline, so its events are published now, without an order, and again once the order is known.
        """
        known = self.aliases[alias]
        before = known.pending or Payment(NO_ORDER)
        pending, _ = apply_webhook(before, webhook)
        self.aliases[alias] = msgspec.structs.replace(
            known, pending=pending, waiting=(*known.waiting, webhook.envelope.event_id)
        )
        return Result(":".join(alias), "waiting", dispute.new_events(before, pending, webhook))


def is_unreported_refund(webhook: PaymentInput) -> TypeGuard[RefundWebhook]:
    """Return whether a webhook is of a refund that its payment does not report. It changes no payment."""
    return isinstance(webhook, RefundWebhook) and not webhook.payload.reported_by_payment


def aliases_of(webhook: PaymentInput) -> list[AliasKey]:
    """Return a payment's aliases at its provider, the main one first.

    Empty for an unreported refund and for webhooks that name no payment: OrderWebhook and BillingWebhook.
    """
    if isinstance(webhook, (OrderWebhook, BillingWebhook)) or is_unreported_refund(webhook):
        return []
    payload, provider = webhook.payload, webhook.envelope.provider
    return aliases.alias_keys(provider, payload.alias, payload.aliases)


def touched_order(webhook: PaymentInput, known: Mapping[AliasKey, Alias[Payment]]) -> OrderId | None:
    """Return the id of the order that a webhook names, itself or by an alias mapped to it in `known`.

    None if it names none, and for an unreported refund. Raises KeyError for an alias that is not in `known`.
    """
    if is_unreported_refund(webhook):
        return None
    return webhook.payload.order_id or aliases.order_of(known, aliases_of(webhook))


def _billing_result(webhook: BillingWebhook) -> Result:
    """Return BillingScheduled for the subscription processor, as a result under the order or the alias."""
    payload, envelope = webhook.payload, webhook.envelope
    key = payload.order_id or f"{envelope.provider}:{payload.alias}"
    event = BillingScheduled(
        event_id=ids.domain_event_id("BillingScheduled", key, str(payload.next_billing_at or envelope.event_id)),
        caused_by=envelope.event_id,
        mode=envelope.mode,
        occurred_at=envelope.occurred_at,
        received_at=envelope.received_at,
        order_id=payload.order_id,
        provider=envelope.provider,
        next_billing_at=payload.next_billing_at,
        amount=payload.amount,
        currency=payload.currency,
    )
    return Result(key, "processed", (event,))
