"""One transaction of the confirmer: a question is kept for each receipt. It is asked after the commit, by the asker."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from confirmer import store
from stream import topics
from stream.events import Record, UnconfirmedWebhook
from stream.fold import Result

TOPICS = topics.READ_BY["confirmer"]


def handle(
    tx: Connection, receipts: Sequence[UnconfirmedWebhook], *, encode: Callable[[Record], bytes]
) -> list[Result]:
    """Keep what is to be asked. What becomes of a receipt is told when its provider has answered."""
    store.keep(tx, [(receipt, encode(receipt)) for receipt in receipts])
    return [Result(topics.UNCONFIRMED.key(receipt), "waiting", ()) for receipt in receipts]
