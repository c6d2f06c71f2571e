"""One transaction of the payment processor: lock the payments, fold the webhooks in, save."""

from collections.abc import Sequence

from sqlalchemy import Connection

from processors.payment import store
from processors.payment.domain import apply
from stream import topics
from stream.events import OrderWebhook, PaymentWebhook
from stream.fold import Result, fold

TOPICS = (topics.PAYMENT_WEBHOOKS, topics.ORDERS)


def handle(tx: Connection, webhooks: Sequence[PaymentWebhook | OrderWebhook]) -> list[Result]:
    """Apply new webhooks, in their order."""
    payments = store.lock(tx, sorted({key(webhook) for webhook in webhooks}))
    results = fold(payments, webhooks, key, apply)
    pairs = zip(webhooks, results, strict=True)
    applied = [(webhook, result) for webhook, result in pairs if isinstance(webhook, PaymentWebhook)]
    store.save_orders(tx, [payments[name] for name in {key(w) for w in webhooks if isinstance(w, OrderWebhook)}])
    store.save(tx, payments.values(), last={result.key: webhook for webhook, result in applied})
    store.record(tx, applied)
    return results


key = topics.ORDERS.key
"""The order: what both kinds of webhook are keyed by on their topics."""
