"""The refund processor's handler: in one transaction, lock aliases and refunds, apply the events, save."""

from collections.abc import Sequence

from sqlalchemy import Connection

from processors.refund import row_mapping, store
from processors.refund.domain import RefundInput, RefundWorkingSet, aliases_of, touched_order
from stream.events import RefundWebhook
from stream.state.fold import Result
from stream.store import alias_store


def handle(tx: Connection, events: Sequence[RefundInput]) -> list[Result]:
    """Apply new events in order, save refunds, aliases and history, and return one result each.

    Most events about payments only map an alias to its order. The caller commits `tx`.
    """
    keys = {alias for event in events for alias in aliases_of(event)}
    aliases = alias_store.lock(tx, keys, row_mapping.load_pending)
    order_ids = {touched_order(event, aliases) for event in events}
    refunds = store.lock(tx, set(filter(None, order_ids)))
    working_set = RefundWorkingSet(refunds, aliases)
    results = [working_set.apply(event) for event in events]
    _save(tx, working_set, list(zip(events, results, strict=True)))
    return results


def _save(tx: Connection, working_set: RefundWorkingSet, applied: Sequence[tuple[RefundInput, Result]]) -> None:
    of_webhooks = [(webhook, result) for webhook, result in applied if isinstance(webhook, RefundWebhook)]
    last_webhooks = {(result.key, webhook.payload.refund_id): webhook for webhook, result in of_webhooks}
    store.save(tx, working_set.changed_refunds, last_webhooks)
    alias_store.save(tx, working_set.changed_aliases, row_mapping.dump_pending)
    store.record(tx, of_webhooks)
    store.backfill(tx, [(event_id, result.key) for _, result in applied for event_id in result.released])
