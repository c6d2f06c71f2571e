"""One transaction of the confirmer: a question is kept for each receipt, to be asked after the commit, by the asker.

The shop's orders are noted too: what is said of an order that the shop knows is asked first.
"""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from confirmer import store
from stream import topics
from stream.events import OrderWebhook, Record, UnconfirmedWebhook
from stream.fold import Result

TOPICS = topics.READ_BY["confirmer"]
Read = UnconfirmedWebhook | OrderWebhook


def handle(tx: Connection, webhooks: Sequence[Read], *, encode: Callable[[Record], bytes]) -> list[Result]:
    """Keep what is to be asked. What becomes of a receipt is told when its provider has answered."""
    store.know(tx, [webhook.notice.order_id for webhook in webhooks if isinstance(webhook, OrderWebhook)])
    store.keep(tx, [(webhook, encode(webhook)) for webhook in webhooks if isinstance(webhook, UnconfirmedWebhook)])
    return [_result(webhook) for webhook in webhooks]


def _result(webhook: Read) -> Result:
    if isinstance(webhook, OrderWebhook):
        return Result(topics.ORDERS.key(webhook), "processed", ())
    return Result(topics.UNCONFIRMED.key(webhook), "waiting", ())
