"""All SQL of the refund processor. Each batch runs one statement per table, with an array per column."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from processors.refund.domain import Paid, Refund, Refunds
from runtime.clock import to_datetime
from stream.events import RefundWebhook
from stream.state import json_payload
from stream.state.aliases import Alias
from stream.state.fold import Result
from stream.state.registers import Register
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

READ = "SELECT order_id, refund_id, registers::text FROM refunds WHERE order_id = ANY (%(ids)b::text[])"

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
                     processed_at, metadata, registers, mismatch)
SELECT order_id, refund_id, status, amount, currency, crypto_amount, crypto_asset, reason, provider,
       processed_at, metadata::json, registers::json, mismatch
  FROM unnest(%(ids)b::text[], %(refunds)b::text[], %(statuses)b::text[], %(amounts)b::bigint[],
              %(currencies)b::text[], %(cryptos)b::text[], %(assets)b::text[], %(reasons)b::text[],
              %(providers)b::text[], %(times)b::timestamptz[], %(metadatas)b::text[], %(registers)b::text[],
              %(mismatches)b::text[])
       AS saved (order_id, refund_id, status, amount, currency, crypto_amount, crypto_asset, reason, provider,
                 processed_at, metadata, registers, mismatch)
ON CONFLICT (order_id, refund_id) DO UPDATE SET
    status = excluded.status, amount = excluded.amount, currency = excluded.currency,
    crypto_amount = excluded.crypto_amount, crypto_asset = excluded.crypto_asset, reason = excluded.reason,
    provider = excluded.provider, processed_at = excluded.processed_at,
    metadata = coalesce(excluded.metadata, refunds.metadata), registers = excluded.registers,
    mismatch = excluded.mismatch, updated_at = now()
"""
REFUND_COLUMNS = (
    "ids refunds statuses amounts currencies cryptos assets reasons providers times metadatas registers mismatches"
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
    refunds: dict[str, dict[str, Refund]] = {order_id: {} for order_id in order_ids}
    for order_id, refund_id, text in tx.exec_driver_sql(READ, ids):
        refunds[order_id][refund_id] = Refund.load(text)
    return {
        order_id: Refunds(order_id, version, refunds[order_id] | _refunds(released), _paid.decode(paid))
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
            msgspec.json.encode(order.paid).decode(),
            msgspec.json.encode(
                _raw({name: order.refunds[name] for name in sorted(releases[order.order_id])})
            ).decode(),
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
            *_row((order.order_id, refund_id), refund, last.get((order.order_id, refund_id))),
            mismatches[order.order_id].get(refund_id),
        )
        for order in changed
        for refund_id, refund in sorted(order.counted.items())
    ]
    write(tx, SAVE_REFUNDS, REFUND_COLUMNS, rows)


class _StoredRefunds(msgspec.Struct):
    """Refunds as they are stored while their order is unknown."""

    order_id: str
    version: int
    refunds: dict[str, msgspec.Raw]
    paid: dict[str, Register[Paid]]


_paid = msgspec.json.Decoder(dict[str, Register[Paid]])
_by_id = msgspec.json.Decoder(dict[str, msgspec.Raw])
_pending = msgspec.json.Decoder(Alias[_StoredRefunds])


def load_pending(stored: str) -> Alias[Refunds]:
    """Return the alias whose `dump_pending` is `stored`."""
    alias = _pending.decode(stored)
    if (state := alias.pending) is None:
        return Alias(alias.order_id, None, alias.waiting)
    refunds = Refunds(state.order_id, state.version, _refunds_of(state.refunds), state.paid)
    return Alias(alias.order_id, refunds, alias.waiting)


def dump_pending(alias: Alias[Refunds]) -> str:
    """Return an alias and the refunds that wait for its order as JSON, for a column."""
    stored = None
    if (state := alias.pending) is not None:
        stored = _StoredRefunds(state.order_id, state.version, _raw(state.refunds), dict(state.paid))
    return msgspec.json.encode(Alias(alias.order_id, stored, alias.waiting)).decode()


def _refunds(stored: str) -> dict[str, Refund]:
    return {} if stored == "{}" else _refunds_of(_by_id.decode(stored))


def _refunds_of(stored: Mapping[str, msgspec.Raw]) -> dict[str, Refund]:
    return {refund_id: Refund.load(bytes(raw).decode()) for refund_id, raw in stored.items()}


def _raw(refunds: Mapping[str, Refund]) -> dict[str, msgspec.Raw]:
    return {refund_id: msgspec.Raw(refund.dump().encode()) for refund_id, refund in refunds.items()}


def backfill(tx: Connection, released: Sequence[tuple[str, str]]) -> None:
    """Set the order of released webhooks in the history; `released` holds (event id, order id)."""
    write(tx, BACKFILL, "events ids", released)


def record(tx: Connection, applied: Iterable[tuple[RefundWebhook, Result]]) -> None:
    """Insert every applied webhook into the history with its bytes, late ones included."""
    write(tx, RECORD, RECORD_COLUMNS, [_history_row(webhook, result) for webhook, result in applied])


def _row(key: RefundKey, refund: Refund, last: RefundWebhook | None) -> tuple[object, ...]:
    state = refund.registers
    return (
        *key,
        state.status.value,
        state.amount.value,
        state.currency.value,
        state.crypto_amount.value,
        state.crypto_asset.value,
        refund.reason,
        state.provider.value,
        to_datetime(refund.processed_at),
        '{"webhook":' + json_payload.as_json(last.envelope.raw) + "}" if last else None,
        refund.dump(),
    )


def _history_row(webhook: RefundWebhook, result: Result) -> tuple[object, ...]:
    envelope, payload = webhook.envelope, webhook.payload
    return (
        envelope.event_id,
        None if result.outcome == "waiting" else result.key,
        payload.refund_id,
        payload.status,
        result.outcome,
        payload.amount,
        payload.currency,
        to_datetime(envelope.occurred_at),
        to_datetime(envelope.received_at),
        envelope.raw,
    )
