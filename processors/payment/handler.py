"""The payment processor's handler: in one transaction, lock aliases and payments, apply the webhooks, save."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from processors.payment import row_mapping, store
from processors.payment.domain import OrdersPolicy, Payment, PaymentWorkingSet
from processors.payment.domain.working_set import aliases_of
from runtime.logging import log
from stream.events import BillingWebhook, DisputeWebhook, OrderWebhook, PaymentWebhook, RefundWebhook
from stream.state.fold import Result
from stream.store import alias_store


def handle(
    tx: Connection,
    webhooks: Sequence[PaymentWebhook | DisputeWebhook | RefundWebhook | BillingWebhook | OrderWebhook],
    *,
    orders: OrdersPolicy = "optional",
) -> list[Result]:
    """Apply new webhooks in order and save the changed payments, aliases, disputes and history; one result each."""
    named = [webhook for webhook in webhooks if isinstance(webhook, PaymentWebhook | DisputeWebhook | RefundWebhook)]
    aliases = sorted({alias for webhook in named for alias in aliases_of(webhook)})
    known = alias_store.lock(tx, aliases, row_mapping.load_pending)
    order_ids: set[str | None] = {webhook.payload.order_id for webhook in webhooks if _changes_payment(webhook)}
    order_ids |= {alias.order_id for alias in known.values()}
    working_set = PaymentWorkingSet(store.lock(tx, sorted(filter(None, order_ids))), dict(known), orders)
    results = [working_set.apply(webhook) for webhook in webhooks]
    pairs = list(zip(webhooks, results, strict=True))
    applied = [(webhook, result) for webhook, result in pairs if isinstance(webhook, PaymentWebhook)]
    disputed = [(webhook, result) for webhook, result in pairs if isinstance(webhook, DisputeWebhook)]
    shop = {webhook.payload.order_id for webhook in webhooks if isinstance(webhook, OrderWebhook)}
    payments = working_set.payments
    unpaid = [payment for payment in payments.values() if payment.entries and not payment.version]
    ordered = {payment.order_id: payment for payment in (*map(payments.__getitem__, shop), *unpaid)}
    store.save_orders(tx, ordered.values())
    store.save(tx, payments.values(), last={result.key: webhook for webhook, result in applied})
    mapped = {name: alias for name, alias in working_set.aliases.items() if alias is not known[name]}
    alias_store.save(tx, mapped, row_mapping.dump_pending)
    store.save_disputes(tx, payments.values())
    store.record(tx, [*applied, *disputed])
    _log_updates(applied, payments)
    store.backfill(tx, [(event_id, result.key) for result in results for event_id in result.released])
    return results


def _changes_payment(webhook: PaymentWebhook | DisputeWebhook | RefundWebhook | BillingWebhook | OrderWebhook) -> bool:
    return not isinstance(webhook, RefundWebhook) or webhook.payload.reported_by_payment


def _log_updates(applied: Sequence[tuple[PaymentWebhook, Result]], payments: Mapping[str, Payment]) -> None:
    """Log the events that contract B's operators search for."""
    for webhook, result in applied:
        if result.key in payments:
            log.info("payment.updated", payment_id=result.key, status=payments[result.key].status)
        if webhook.envelope.event_type == "checkout.session.completed":
            session = next((alias for _, alias in aliases_of(webhook) if alias.startswith("cs_")), None)
            log.info("checkout.completed", session_id=session, payment_status=webhook.payload.status)
