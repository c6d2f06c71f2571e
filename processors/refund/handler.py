"""One transaction of the refund processor: lock the names and the orders' refunds, post the events to them, save."""

from collections.abc import Sequence

from sqlalchemy import Connection

from processors.refund import store
from processors.refund.domain import Book, Refunds, names
from stream.events import DomainEvent, RefundWebhook, topics
from stream.state.aliases import Alias
from stream.state.fold import Result
from stream.store import alias_store

TOPICS = topics.READ_BY["refund"]


def handle(tx: Connection, events: Sequence[RefundWebhook | DomainEvent]) -> list[Result]:
    """Apply new events, in their order. Of a payment's facts, most only tell which order a provider's name is."""
    known = alias_store.lock(tx, sorted({name for event in events for name in names(event)}), Alias[Refunds])
    book = Book({}, dict(known))
    before = store.lock(tx, sorted(filter(None, {book.touches(event) for event in events})))
    book.refunds.update(before)
    results = [book.post(event) for event in events]
    pairs = zip(events, results, strict=True)
    applied = [(webhook, result) for webhook, result in pairs if isinstance(webhook, RefundWebhook)]
    changed = [order for order in book.refunds.values() if order is not before[order.order_id]]
    store.save(tx, changed, last={(result.key, webhook.notice.refund_id): webhook for webhook, result in applied})
    alias_store.save(tx, {name: after for name, after in book.names.items() if after is not known[name]})
    store.record(tx, applied)
    store.adopt(tx, [(event_id, result.key) for result in results for event_id in result.woken])
    return results
