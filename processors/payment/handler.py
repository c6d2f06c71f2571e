"""The payment processor's handler: in one transaction, lock aliases and payments, apply the webhooks, save."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from processors.payment import row_mapping, store
from processors.payment.domain import (
    OrdersPolicy,
    Payment,
    PaymentInput,
    PaymentWorkingSet,
    aliases_of,
    touched_order,
)
from runtime.logging import log
from stream.events import DisputeWebhook, PaymentStatus, PaymentWebhook
from stream.state.fold import Result
from stream.store import alias_store


def handle(tx: Connection, webhooks: Sequence[PaymentInput], *, orders: OrdersPolicy = "optional") -> list[Result]:
    """Apply new webhooks in order, save payments, disputes, aliases and history, and return one result each.

    The caller commits `tx`, and publishes the results' domain events afterwards.
    """
    keys = {alias for webhook in webhooks for alias in aliases_of(webhook)}
    aliases = alias_store.lock(tx, keys, row_mapping.load_pending)
    order_ids = {touched_order(webhook, aliases) for webhook in webhooks}
    payments = store.lock(tx, set(filter(None, order_ids)))
    working_set = PaymentWorkingSet(payments, aliases, orders)
    results = [working_set.apply(webhook) for webhook in webhooks]
    applied = list(zip(webhooks, results, strict=True))
    _save(tx, working_set, applied)
    _log_updates(applied, payments.values())
    return results


def _save(tx: Connection, working_set: PaymentWorkingSet, applied: Sequence[tuple[PaymentInput, Result]]) -> None:
    last_webhooks = {result.key: webhook for webhook, result in applied if isinstance(webhook, PaymentWebhook)}
    store.save(tx, working_set.payments.values(), working_set.changed_orders, last_webhooks)
    alias_store.save(tx, working_set.changed_aliases, row_mapping.dump_pending)
    store.record(
        tx, [(webhook, result) for webhook, result in applied if isinstance(webhook, PaymentWebhook | DisputeWebhook)]
    )
    store.backfill(tx, [(event_id, result.key) for _, result in applied for event_id in result.released])


def _log_updates(applied: Sequence[tuple[PaymentInput, Result]], payments: Iterable[Payment]) -> None:
    """Log `payment.updated` and `checkout.completed`, the names that contract B requires."""
    statuses: dict[str, PaymentStatus | None] = {payment.order_id: payment.status for payment in payments}
    for webhook, result in applied:
        if not isinstance(webhook, PaymentWebhook):
            continue
        if result.key in statuses:
            log.info("payment.updated", payment_id=result.key, status=statuses[result.key])
        if webhook.envelope.event_type == "checkout.session.completed":
            session = next((alias for _, alias in aliases_of(webhook) if alias.startswith("cs_")), None)
            log.info("checkout.completed", session_id=session, payment_status=webhook.payload.status)
