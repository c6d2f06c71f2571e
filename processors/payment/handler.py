"""The payment processor's handler: in one transaction, lock aliases and payments, apply the webhooks, save."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from processors.payment import row_mapping, store
from processors.payment.domain import OrdersPolicy, Payment, PaymentWorkingSet
from processors.payment.domain.working_set import aliases_of
from runtime.logging import log
from stream.events import (
    BillingWebhook,
    DisputeWebhook,
    OrderId,
    OrderWebhook,
    PaymentStatus,
    PaymentWebhook,
    RefundWebhook,
)
from stream.state.aliases import Alias, AliasKey
from stream.state.fold import Result
from stream.store import alias_store

Input = PaymentWebhook | DisputeWebhook | RefundWebhook | BillingWebhook | OrderWebhook


def handle(tx: Connection, webhooks: Sequence[Input], *, orders: OrdersPolicy = "optional") -> list[Result]:
    """Apply new webhooks in order, save payments, disputes, aliases and history, and return one result each.

    The caller commits `tx`, and publishes the results' domain events afterwards.
    """
    known = alias_store.lock(tx, _aliases(webhooks), row_mapping.load_pending)
    working_set = PaymentWorkingSet(store.lock(tx, _order_ids(webhooks, known.values())), known, orders)
    results = [working_set.apply(webhook) for webhook in webhooks]
    applied = list(zip(webhooks, results, strict=True))
    _save(tx, working_set, applied)
    _log_updates(applied, working_set.payments.values())
    return results


def _aliases(webhooks: Sequence[Input]) -> set[AliasKey]:
    named = [webhook for webhook in webhooks if isinstance(webhook, PaymentWebhook | DisputeWebhook | RefundWebhook)]
    return {alias for webhook in named for alias in aliases_of(webhook)}


def _order_ids(webhooks: Sequence[Input], known: Iterable[Alias[Payment]]) -> set[OrderId]:
    """Return the ids of the orders that aliases or webhooks name, except refunds that their payment does not report."""
    reported = (
        webhook for webhook in webhooks if not isinstance(webhook, RefundWebhook) or webhook.payload.reported_by_payment
    )
    named = {webhook.payload.order_id for webhook in reported} | {alias.order_id for alias in known}
    return set(filter(None, named))


def _save(tx: Connection, working_set: PaymentWorkingSet, applied: Sequence[tuple[Input, Result]]) -> None:
    payments = working_set.payments.values()
    last = {result.key: webhook for webhook, result in applied if isinstance(webhook, PaymentWebhook)}
    store.save_orders(tx, working_set.changed_orders)
    store.save(tx, payments, last)
    store.save_disputes(tx, payments)  # updates rows that `save` may have inserted
    alias_store.save(tx, working_set.changed_aliases, row_mapping.dump_pending)
    store.record(
        tx, [(webhook, result) for webhook, result in applied if isinstance(webhook, PaymentWebhook | DisputeWebhook)]
    )
    store.backfill(tx, [(event_id, result.key) for _, result in applied for event_id in result.released])


def _log_updates(applied: Sequence[tuple[Input, Result]], payments: Iterable[Payment]) -> None:
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
