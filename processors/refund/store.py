"""All SQL of the refund processor. Each batch runs one statement per table, with an array per column."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from processors.refund.domain import Refunds, processed_at, reason
from runtime.clock import moment
from stream.events import RefundWebhook
from stream.state import json_payload, registers
from stream.state.fold import Result
from stream.state.registers import Registers
from stream.store.bulk_sql import write

BACKFILL = """
UPDATE refund_history SET order_id = adopted.order_id, outcome = 'processed'
  FROM unnest(%(events)b::text[]::uuid[], %(ids)b::text[]) AS adopted (event_id, order_id)
 WHERE refund_history.event_id = adopted.event_id
"""

INSERT_MISSING = "INSERT INTO orders (order_id) SELECT unnest(%(ids)b::text[]) ON CONFLICT DO NOTHING"

LOCK = """
SELECT order_id, version, paid::text, released::text
  FROM orders WHERE order_id = ANY (%(ids)b::text[]) ORDER BY order_id FOR UPDATE
"""

READ = "SELECT order_id, refund_id, told::text FROM refunds WHERE order_id = ANY (%(ids)b::text[])"

SAVE_ORDERS = """
UPDATE orders SET refund_status = saved.status, refunded_amount = saved.amount, version = saved.version,
                  paid = saved.paid::json, released = saved.released::json, updated_at = now()
  FROM unnest(%(ids)b::text[], %(statuses)b::text[], %(amounts)b::bigint[], %(versions)b::int[], %(paid)b::text[],
              %(released)b::text[])
       AS saved (order_id, status, amount, version, paid, released)
 WHERE orders.order_id = saved.order_id
"""

# Only once its payment is known does a refund turn out to be a release; until then it has a row.
DELETE_RELEASED = """
DELETE FROM refunds USING unnest(%(ids)b::text[], %(refunds)b::text[]) AS released (order_id, refund_id)
 WHERE refunds.order_id = released.order_id AND refunds.refund_id = released.refund_id
"""

SAVE_REFUNDS = """
INSERT INTO refunds (order_id, refund_id, status, amount, currency, crypto_amount, crypto_asset, reason, provider,
                     processed_at, metadata, told, mismatch)
SELECT order_id, refund_id, status, amount, currency, crypto_amount, crypto_asset, reason, provider,
       processed_at, metadata::json, told::json, mismatch
  FROM unnest(%(ids)b::text[], %(refunds)b::text[], %(statuses)b::text[], %(amounts)b::bigint[],
              %(currencies)b::text[], %(cryptos)b::text[], %(assets)b::text[], %(reasons)b::text[],
              %(providers)b::text[], %(times)b::timestamptz[], %(metadatas)b::text[], %(tolds)b::text[],
              %(mismatches)b::text[])
       AS saved (order_id, refund_id, status, amount, currency, crypto_amount, crypto_asset, reason, provider,
                 processed_at, metadata, told, mismatch)
ON CONFLICT (order_id, refund_id) DO UPDATE SET
    status = excluded.status, amount = excluded.amount, currency = excluded.currency,
    crypto_amount = excluded.crypto_amount, crypto_asset = excluded.crypto_asset, reason = excluded.reason,
    provider = excluded.provider, processed_at = excluded.processed_at,
    metadata = coalesce(excluded.metadata, refunds.metadata), told = excluded.told,
    mismatch = excluded.mismatch, updated_at = now()
"""
REFUND_COLUMNS = (
    "ids refunds statuses amounts currencies cryptos assets reasons providers times metadatas tolds mismatches"
)

RECORD = """
INSERT INTO refund_history (event_id, order_id, refund_id, status, outcome, amount, currency, occurred_at,
                            received_at, payload)
SELECT * FROM unnest(%(events)b::text[]::uuid[], %(ids)b::text[], %(refunds)b::text[], %(statuses)b::text[],
                     %(outcomes)b::text[], %(amounts)b::bigint[], %(currencies)b::text[],
                     %(occurred)b::timestamptz[], %(received)b::timestamptz[], %(payloads)b::bytea[])
"""
RECORD_COLUMNS = "events ids refunds statuses outcomes amounts currencies occurred received payloads"

RefundKey = tuple[str, str]
"""The order id and the refund id."""


def lock(tx: Connection, order_ids: Sequence[str]) -> dict[str, Refunds]:
    """Lock these orders until the transaction ends, and return their refunds. `order_ids` must be sorted."""
    if not order_ids:
        return {}
    ids = {"ids": list(order_ids)}
    tx.exec_driver_sql(INSERT_MISSING, ids)
    orders = tx.exec_driver_sql(LOCK, ids).all()
    refunds: dict[str, dict[str, Registers]] = {order_id: {} for order_id in order_ids}
    for order_id, refund_id, told in tx.exec_driver_sql(READ, ids):
        refunds[order_id][refund_id] = registers.load(told)
    return {
        order_id: Refunds(order_id, version, refunds[order_id] | _released(released), registers.load(paid))
        for order_id, version, paid, released in orders
    }


def save(tx: Connection, orders: Iterable[Refunds], last: Mapping[RefundKey, RefundWebhook]) -> None:
    """Write the orders' totals and their refunds, each with its last webhook in the batch.

    A release of an amount that was not captured has no row; its state is stored with its order.
    """
    changed = list(orders)
    releases = {order.order_id: order.releases for order in changed}
    totals = [
        (
            order.order_id,
            order.status,
            order.refunded_amount,
            order.version,
            registers.dump(order.paid),
            msgspec.json.encode({name: order.refunds[name] for name in sorted(releases[order.order_id])}).decode(),
        )
        for order in changed
    ]
    write(tx, SAVE_ORDERS, "ids statuses amounts versions paid released", totals)
    write(
        tx, DELETE_RELEASED, "ids refunds", [(order_id, name) for order_id in releases for name in releases[order_id]]
    )
    mismatches = {order.order_id: order.mismatches for order in changed}
    rows = [
        (
            *_row((order.order_id, refund_id), state, last.get((order.order_id, refund_id))),
            mismatches[order.order_id].get(refund_id),
        )
        for order in changed
        for refund_id, state in sorted(order.counted.items())
    ]
    write(tx, SAVE_REFUNDS, REFUND_COLUMNS, rows)


_stored = msgspec.json.Decoder(dict[str, dict[str, tuple[tuple[int, int, int, str], Any]]])


def _released(stored: str) -> dict[str, Registers]:
    return {} if stored == "{}" else dict(_stored.decode(stored))


def backfill(tx: Connection, released: Sequence[tuple[str, str]]) -> None:
    """Set the order of released webhooks in the history; `released` holds (event id, order id)."""
    write(tx, BACKFILL, "events ids", released)


def record(tx: Connection, applied: Iterable[tuple[RefundWebhook, Result]]) -> None:
    """Insert every applied webhook into the history with its bytes, late ones included."""
    write(tx, RECORD, RECORD_COLUMNS, [_history_row(webhook, result) for webhook, result in applied])


def _row(key: RefundKey, state: Registers, last: RefundWebhook | None) -> tuple[object, ...]:
    names = "status amount currency crypto_amount crypto_asset".split()
    return (
        *key,
        *(registers.value(state, name) for name in names),
        reason(state),
        registers.value(state, "provider"),
        moment(processed_at(state)),
        '{"webhook":' + json_payload.as_json(last.envelope.raw) + "}" if last else None,
        registers.dump(state),
    )


def _history_row(webhook: RefundWebhook, result: Result) -> tuple[object, ...]:
    envelope, notice = webhook.envelope, webhook.notice
    return (
        envelope.event_id,
        None if result.outcome == "waiting" else result.key,
        notice.refund_id,
        notice.status,
        result.outcome,
        notice.amount,
        notice.currency,
        moment(envelope.occurred_at),
        moment(envelope.received_at),
        envelope.raw,
    )
