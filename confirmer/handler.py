"""One transaction of the confirmer: a question is kept for each receipt, to be asked after the commit, by the asker.

The shop's orders are noted too: what is said of an order that the shop knows is asked first.
"""

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import Connection

from confirmer import store
from stream.events import OrderWebhook, Record, UnconfirmedWebhook, topics
from stream.state.fold import Result

TOPICS = topics.READ_BY["confirmer"]
Read = UnconfirmedWebhook | OrderWebhook


def handle(
    tx: Connection,
    webhooks: Sequence[Read],
    *,
    encode: Callable[[Record], bytes],
    arrived: Callable[[Iterable[str]], None],
) -> list[Result]:
    """Keep what is to be asked, and tell `arrived` the providers to ask.

    What becomes of a receipt is told when its provider has answered.
    """
    receipts = [webhook for webhook in webhooks if isinstance(webhook, UnconfirmedWebhook)]
    store.know(tx, [webhook.notice.order_id for webhook in webhooks if isinstance(webhook, OrderWebhook)])
    store.keep(tx, [(receipt, encode(receipt)) for receipt in receipts])
    arrived(receipt.envelope.provider for receipt in receipts)
    return [_result(webhook) for webhook in webhooks]


def _result(webhook: Read) -> Result:
    if isinstance(webhook, OrderWebhook):
        return Result(topics.ORDERS.key(webhook), "processed", ())
    return Result(topics.UNCONFIRMED.key(webhook), "waiting", ())
