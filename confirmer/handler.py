"""The confirmer's handler: inserts a verification for each unconfirmed webhook; the poller sends it after the commit.

The shop's orders are stored too: verifications about an order that the shop knows come first.
"""

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import Connection

from confirmer import store
from stream.events import OrderWebhook, Record, UnconfirmedWebhook, topics
from stream.state.fold import Result

ConfirmerInput = UnconfirmedWebhook | OrderWebhook


def handle(
    tx: Connection,
    webhooks: Sequence[ConfirmerInput],
    *,
    encode: Callable[[Record], bytes],
    on_insert: Callable[[Iterable[str]], None],
) -> list[Result]:
    """Insert a verification for each unconfirmed webhook and store the orders, in the transaction `tx`.

    `on_insert` is called once, before the commit, with the providers of all unconfirmed webhooks; there may be none.
    Return one result per webhook, in order: `processed` for an order, `waiting` for an unconfirmed webhook, whose final
    outcome is published once its provider has answered.
    """
    unconfirmed = [webhook for webhook in webhooks if isinstance(webhook, UnconfirmedWebhook)]
    store.add_known_orders(tx, [webhook.payload.order_id for webhook in webhooks if isinstance(webhook, OrderWebhook)])
    store.insert(tx, [(webhook, encode(webhook)) for webhook in unconfirmed])
    on_insert(webhook.envelope.provider for webhook in unconfirmed)
    return [_result(webhook) for webhook in webhooks]


def _result(webhook: ConfirmerInput) -> Result:
    if isinstance(webhook, OrderWebhook):
        return Result(topics.ORDERS.key(webhook), "processed", ())
    return Result(topics.UNCONFIRMED.key(webhook), "waiting", ())
