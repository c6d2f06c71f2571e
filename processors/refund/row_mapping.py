"""The values of the refund processor's columns, made from refunds and webhooks; and refunds made from rows.

A function `…_columns` returns the values of rows, by column.
"""

from collections.abc import Mapping, Sequence

import msgspec

from processors.refund.domain import Paid, Refund, Refunds
from stream.events import OrderId, RefundWebhook
from stream.state.aliases import Alias
from stream.state.fold import Result
from stream.state.json_payload import as_metadata
from stream.state.registers import Register
from stream.store.statements import ColumnValues

RefundKey = tuple[str, str]
"""The order id and the refund id."""


class _StoredRefunds(msgspec.Struct):
    """Refunds as they are stored while their order is unknown."""

    order_id: OrderId
    version: int
    refunds: dict[str, msgspec.Raw]
    paid: dict[str, Register[Paid]]


_paid = msgspec.json.Decoder(dict[str, Register[Paid]])
_by_id = msgspec.json.Decoder(dict[str, msgspec.Raw])
_pending = msgspec.json.Decoder(Alias[_StoredRefunds])


def refunds_of(order_id: OrderId, version: int, known: Mapping[str, Refund], paid: str, released: str) -> Refunds:
    """Return the refunds of an order: `known`, which have rows of their own, and those in the column `released`."""
    releases = {} if released == "{}" else _loaded(_by_id.decode(released))
    return Refunds(order_id, version, {**known, **releases}, _paid.decode(paid))


def load_pending(stored: str) -> Alias[Refunds]:
    """Return the alias whose `dump_pending` is `stored`."""
    alias = _pending.decode(stored)
    if (state := alias.pending) is None:
        return Alias(alias.order_id, None, alias.waiting)
    refunds = Refunds(state.order_id, state.version, _loaded(state.refunds), state.paid)
    return Alias(alias.order_id, refunds, alias.waiting)


def dump_pending(alias: Alias[Refunds]) -> str:
    """Return an alias, and the refunds pending under it, as JSON for a column."""
    stored = None
    if (state := alias.pending) is not None:
        stored = _StoredRefunds(state.order_id, state.version, _dumped(state.refunds), dict(state.paid))
    return msgspec.json.encode(Alias(alias.order_id, stored, alias.waiting)).decode()


def order_columns(orders: Sequence[Refunds]) -> ColumnValues:
    """Return the rows of `orders`: totals, what was paid, and the state of releases, which have no other row."""
    releases = [{refund_id: order.refunds[refund_id] for refund_id in sorted(order.releases)} for order in orders]
    return {
        "order_id": [order.order_id for order in orders],
        "refund_status": [order.status for order in orders],
        "refunded_amount": [order.refunded_amount for order in orders],
        "version": [order.version for order in orders],
        "paid": [msgspec.json.encode(order.paid).decode() for order in orders],
        "released": [msgspec.json.encode(_dumped(released)).decode() for released in releases],
    }


def refund_columns(orders: Sequence[Refunds], last_webhooks: Mapping[RefundKey, RefundWebhook]) -> ColumnValues:
    """Return the rows of `refunds`, without releases.

    `last_webhooks` holds the last webhook of each refund in the batch; `metadata` is None without one.
    """
    counted = {(order.order_id, id_): refund for order in orders for id_, refund in sorted(order.counted.items())}
    mismatches = {(order.order_id, id_): reason for order in orders for id_, reason in order.mismatches.items()}
    refunds, webhooks = list(counted.values()), [last_webhooks.get(key) for key in counted]
    states = [refund.registers for refund in refunds]
    return {
        "order_id": [order_id for order_id, _ in counted],
        "refund_id": [refund_id for _, refund_id in counted],
        "status": [state.status.value for state in states],
        "amount": [state.amount.value for state in states],
        "currency": [state.currency.value for state in states],
        "crypto_amount": [state.crypto_amount.value for state in states],
        "crypto_asset": [state.crypto_asset.value for state in states],
        "reason": [refund.reason for refund in refunds],
        "provider": [state.provider.value for state in states],
        "processed_at": [refund.processed_at for refund in refunds],
        "metadata": [as_metadata(webhook.envelope.raw) if webhook else None for webhook in webhooks],
        "registers": [refund.dump() for refund in refunds],
        "mismatch": [mismatches.get(key) for key in counted],
    }


def history_columns(applied: Sequence[tuple[RefundWebhook, Result]]) -> ColumnValues:
    """Return the rows of `refund_history`, one per webhook; a waiting one has no order."""
    envelopes, payloads = [webhook.envelope for webhook, _ in applied], [webhook.payload for webhook, _ in applied]
    return {
        "event_id": [envelope.event_id for envelope in envelopes],
        "order_id": [None if result.outcome == "waiting" else result.key for _, result in applied],
        "refund_id": [payload.refund_id for payload in payloads],
        "status": [payload.status for payload in payloads],
        "outcome": [result.outcome for _, result in applied],
        "amount": [payload.amount for payload in payloads],
        "currency": [payload.currency for payload in payloads],
        "occurred_at": [envelope.occurred_at for envelope in envelopes],
        "received_at": [envelope.received_at for envelope in envelopes],
        "payload": [envelope.raw for envelope in envelopes],
    }


def _loaded(stored: Mapping[str, msgspec.Raw]) -> dict[str, Refund]:
    return {refund_id: Refund.load(bytes(raw).decode()) for refund_id, raw in stored.items()}


def _dumped(refunds: Mapping[str, Refund]) -> dict[str, msgspec.Raw]:
    return {refund_id: msgspec.Raw(refund.dump().encode()) for refund_id, refund in refunds.items()}
