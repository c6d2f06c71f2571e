"""The refund processor's handler: in one transaction, lock aliases and refunds, apply the events, save."""

from collections.abc import Sequence

from sqlalchemy import Connection

from processors.refund import row_mapping, store
from processors.refund.domain import RefundWorkingSet, aliases_of
from stream.events import DomainEvent, RefundWebhook
from stream.state.fold import Result
from stream.store import alias_store


def handle(tx: Connection, events: Sequence[RefundWebhook | DomainEvent]) -> list[Result]:
    """Apply new events in order, save refunds, aliases and history, and return one result each.

    Most events about payments only map an alias to its order. The caller commits `tx`.
    """
    aliases = {alias for event in events for alias in aliases_of(event)}
    known = alias_store.lock(tx, aliases, row_mapping.load_pending)
    working_set = RefundWorkingSet({}, dict(known))
    before = store.lock(tx, set(filter(None, map(working_set.touches, events))))
    working_set.refunds.update(before)
    results = [working_set.apply(event) for event in events]
    pairs = zip(events, results, strict=True)
    applied = [(webhook, result) for webhook, result in pairs if isinstance(webhook, RefundWebhook)]
    changed = [order for order in working_set.refunds.values() if order is not before[order.order_id]]
    store.save(tx, changed, last={(result.key, webhook.payload.refund_id): webhook for webhook, result in applied})
    mapped = {name: alias for name, alias in working_set.aliases.items() if alias is not known[name]}
    alias_store.save(tx, mapped, row_mapping.dump_pending)
    store.record(tx, applied)
    store.backfill(tx, [(event_id, result.key) for result in results for event_id in result.released])
    return results
