"""One transaction of the refund processor: lock the orders' refunds, fold the webhooks in, save."""

from collections.abc import Sequence

from sqlalchemy import Connection

from processors.refund import store
from processors.refund.domain import apply
from stream import topics
from stream.events import RefundWebhook
from stream.fold import Result, fold

TOPICS = (topics.REFUND_WEBHOOKS,)


def handle(tx: Connection, webhooks: Sequence[RefundWebhook]) -> list[Result]:
    """Apply new webhooks, in their order."""
    orders = store.lock(tx, sorted({key(webhook) for webhook in webhooks}))
    results = fold(orders, webhooks, key, apply)
    store.save(tx, orders.values(), last={(key(webhook), webhook.notice.refund_id): webhook for webhook in webhooks})
    store.record(tx, zip(webhooks, results, strict=True))
    return results


key = topics.REFUND_WEBHOOKS.key
"""The order: what its refunds are keyed by."""
