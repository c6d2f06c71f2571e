"""One transaction of the payment processor: lock the names and orders, post the webhooks to them, save."""

from collections.abc import Sequence

from sqlalchemy import Connection

from processors.payment import store
from processors.payment.domain import Book, OrdersPolicy, Payment
from processors.payment.domain.book import names
from runtime.logging import log
from stream.events import BillingWebhook, DisputeWebhook, OrderWebhook, PaymentWebhook, RefundWebhook, topics
from stream.state.aliases import Alias
from stream.state.fold import Result
from stream.store import alias_store

TOPICS = topics.READ_BY["payment"]
"""Only refunds that their payment reports too are read: their own webhook may be the only one about a failure."""


def handle(
    tx: Connection,
    webhooks: Sequence[PaymentWebhook | DisputeWebhook | RefundWebhook | BillingWebhook | OrderWebhook],
    *,
    orders: OrdersPolicy = "optional",
) -> list[Result]:
    """Apply new webhooks, in their order."""
    named = [webhook for webhook in webhooks if isinstance(webhook, PaymentWebhook | DisputeWebhook | RefundWebhook)]
    known = alias_store.lock(tx, sorted({name for webhook in named for name in names(webhook)}), Alias[Payment])
    told = {webhook.notice.order_id for webhook in webhooks if _concerns(webhook)}
    told |= {name.order_id for name in known.values()}
    book = Book(store.lock(tx, sorted(filter(None, told))), dict(known), orders)
    results = [book.post(webhook) for webhook in webhooks]
    pairs = list(zip(webhooks, results, strict=True))
    applied = [(webhook, result) for webhook, result in pairs if isinstance(webhook, PaymentWebhook)]
    disputed = [(webhook, result) for webhook, result in pairs if isinstance(webhook, DisputeWebhook)]
    shop = {webhook.notice.order_id for webhook in webhooks if isinstance(webhook, OrderWebhook)}
    unpaid = [payment for payment in book.payments.values() if payment.entries and not payment.version]
    store.save_orders(tx, {one.order_id: one for one in (*map(book.payments.__getitem__, shop), *unpaid)}.values())
    store.save(tx, book.payments.values(), last={result.key: webhook for webhook, result in applied})
    alias_store.save(tx, {name: after for name, after in book.names.items() if after is not known[name]})
    store.save_disputes(tx, book.payments.values())
    store.record(tx, [*applied, *disputed])
    _report(applied, book)
    store.adopt(tx, [(event_id, result.key) for result in results for event_id in result.woken])
    return results


def _concerns(webhook: PaymentWebhook | DisputeWebhook | RefundWebhook | BillingWebhook | OrderWebhook) -> bool:
    return not isinstance(webhook, RefundWebhook) or webhook.notice.told_by_payment


def _report(applied: Sequence[tuple[PaymentWebhook, Result]], book: Book) -> None:
    """What contract B's operators look for in a log."""
    for webhook, result in applied:
        if result.key in book.payments:
            log.info("payment.updated", payment_id=result.key, status=book.payments[result.key].status)
        if webhook.envelope.event_type == "checkout.session.completed":
            session = next((name for _, name in names(webhook) if name.startswith("cs_")), None)
            log.info("checkout.completed", session_id=session, payment_status=webhook.notice.status)
