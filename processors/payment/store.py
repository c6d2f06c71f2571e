"""All SQL of the payment processor. Each batch runs one statement per table, with an array per column."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from processors.payment.domain import CancelClaim, Parts, Payment, dispute
from processors.payment.domain.payment_registers import (
    CancelledAmount,
    DisputeRegisters,
    OrderRegisters,
    PaymentRegisters,
    TransactionRegisters,
)
from processors.payment.domain.transaction_log import LogValue
from runtime.clock import to_datetime
from stream.events import DisputeWebhook, PaymentWebhook
from stream.state import json_payload, registers
from stream.state.aliases import Alias
from stream.state.fold import Result
from stream.state.registers import Register
from stream.store.bulk_sql import write

BACKFILL = """
UPDATE payment_history SET order_id = adopted.order_id, outcome = 'processed'
  FROM unnest(%(events)b::text[]::uuid[], %(ids)b::text[]) AS adopted (event_id, order_id)
 WHERE payment_history.event_id = adopted.event_id
"""

INSERT_MISSING = "INSERT INTO orders (order_id) SELECT unnest(%(ids)b::text[]) ON CONFLICT DO NOTHING"

LOCK = """
SELECT order_id, registers::text, entries::text FROM orders
 WHERE order_id = ANY (%(ids)b::text[]) ORDER BY order_id FOR UPDATE
"""

# Run after LOCK and never joined to it: a row that waited for its lock would come with the joined rows as they were
# before the wait.
PAYMENTS = """
SELECT order_id, version, registers::text, cancels::text, entries::text, claims::text, disputes::text FROM payments
 WHERE order_id = ANY (%(ids)b::text[])
"""

TRANSACTIONS = """
SELECT order_id, transaction_id, registers::text FROM transactions WHERE order_id = ANY (%(ids)b::text[])
"""

SAVE_ORDERS = """
UPDATE orders SET amount = saved.amount, currency = saved.currency, registers = saved.registers::json,
                  entries = saved.entries::json
  FROM unnest(%(ids)b::text[], %(amounts)b::bigint[], %(currencies)b::text[], %(registers)b::text[],
              %(entries)b::text[])
       AS saved (order_id, amount, currency, registers, entries)
 WHERE orders.order_id = saved.order_id
"""

SAVE_PAYMENTS = """
INSERT INTO payments (order_id, status, method, transaction_id, pg_transaction_id, provider, amount, currency,
                      refunded_amount, failure_reason, mismatched, paid_at, user_id, metadata, version, registers,
                      cancels, entries, claims)
SELECT order_id, status, method, transaction_id, pg_transaction_id, provider, amount, currency,
       refunded_amount, failure_reason, mismatched, paid_at, user_id, metadata::json, version, registers::json,
       cancels::json, entries::json, claims::json
  FROM unnest(%(ids)b::text[], %(statuses)b::text[], %(methods)b::text[], %(transactions)b::text[], %(pgs)b::text[],
              %(providers)b::text[], %(amounts)b::bigint[], %(currencies)b::text[], %(refunds)b::bigint[],
              %(reasons)b::text[], %(mismatches)b::boolean[], %(paids)b::timestamptz[], %(users)b::text[],
              %(metadatas)b::text[], %(versions)b::int[], %(registers)b::text[], %(cancels)b::text[],
              %(entries)b::text[], %(claims)b::text[])
       AS saved (order_id, status, method, transaction_id, pg_transaction_id, provider, amount, currency,
                 refunded_amount, failure_reason, mismatched, paid_at, user_id, metadata, version, registers, cancels,
                 entries, claims)
ON CONFLICT (order_id) DO UPDATE SET
    status = excluded.status, method = excluded.method, transaction_id = excluded.transaction_id,
    pg_transaction_id = excluded.pg_transaction_id, provider = excluded.provider, amount = excluded.amount,
    currency = excluded.currency, refunded_amount = excluded.refunded_amount,
    failure_reason = excluded.failure_reason, mismatched = excluded.mismatched, paid_at = excluded.paid_at,
    user_id = excluded.user_id, metadata = coalesce(excluded.metadata, payments.metadata),
    version = excluded.version, registers = excluded.registers, cancels = excluded.cancels,
    entries = excluded.entries, claims = excluded.claims, updated_at = now()
"""
PAYMENT_COLUMNS = (
    "ids statuses methods transactions pgs providers amounts currencies refunds reasons mismatches paids users "
    "metadatas versions registers cancels entries claims"
)

# Runs only for payments that have disputes, which are few.
SAVE_DISPUTES = """
UPDATE payments SET
    disputes = saved.disputes::json, dispute_id = saved.dispute_id, dispute_status = saved.status,
    dispute_reason = saved.reason, disputed_amount = saved.amount, disputed_currency = saved.currency,
    dispute_due_at = saved.due_at, charged_back_amount = saved.charged_back
  FROM unnest(%(ids)b::text[], %(disputes)b::text[], %(names)b::text[], %(statuses)b::text[], %(reasons)b::text[],
              %(amounts)b::bigint[], %(currencies)b::text[], %(dues)b::timestamptz[], %(lost)b::bigint[])
       AS saved (order_id, disputes, dispute_id, status, reason, amount, currency, due_at, charged_back)
 WHERE payments.order_id = saved.order_id
"""
DISPUTE_COLUMNS = "ids disputes names statuses reasons amounts currencies dues lost"

SAVE_TRANSACTIONS = """
INSERT INTO transactions (order_id, transaction_id, status, amount, currency, refunded_amount, registers)
SELECT order_id, transaction_id, status, amount, currency, refunded_amount, registers::json
  FROM unnest(%(ids)b::text[], %(transactions)b::text[], %(statuses)b::text[], %(amounts)b::bigint[],
              %(currencies)b::text[], %(refunds)b::bigint[], %(registers)b::text[])
       AS saved (order_id, transaction_id, status, amount, currency, refunded_amount, registers)
ON CONFLICT (order_id, transaction_id) DO UPDATE SET
    status = excluded.status, amount = excluded.amount, currency = excluded.currency,
    refunded_amount = excluded.refunded_amount, registers = excluded.registers
"""

RECORD = """
INSERT INTO payment_history (event_id, order_id, status, outcome, transaction_id, amount, currency, occurred_at,
                             received_at, payload)
SELECT * FROM unnest(%(events)b::text[]::uuid[], %(ids)b::text[], %(statuses)b::text[], %(outcomes)b::text[],
                     %(transactions)b::text[], %(amounts)b::bigint[], %(currencies)b::text[],
                     %(occurred)b::timestamptz[], %(received)b::timestamptz[], %(payloads)b::bytea[])
"""
HISTORY_COLUMNS = "events ids statuses outcomes transactions amounts currencies occurred received payloads"


def lock(tx: Connection, order_ids: Sequence[str]) -> dict[str, Payment]:
    """Lock these orders until the transaction ends, and return their payments. `order_ids` must be sorted."""
    if not order_ids:
        return {}
    ids = {"ids": list(order_ids)}
    tx.exec_driver_sql(INSERT_MISSING, ids)
    orders = tx.exec_driver_sql(LOCK, ids).all()
    payments = {row.order_id: _payment(*row) for row in tx.exec_driver_sql(PAYMENTS, ids)}
    transactions: dict[str, dict[str, TransactionRegisters]] = {order_id: {} for order_id in order_ids}
    for order_id, transaction_id, text in tx.exec_driver_sql(TRANSACTIONS, ids):
        transactions[order_id][transaction_id] = registers.load(TransactionRegisters, text)
    return {
        order_id: _of_order(payments.get(order_id) or Payment(order_id), transactions[order_id], order, entries)
        for order_id, order, entries in orders
    }


def save(tx: Connection, payments: Iterable[Payment], last: Mapping[str, PaymentWebhook]) -> None:
    """Write the payments, each with its order's last webhook in the batch. Orders without a payment are skipped."""
    known = [payment for payment in payments if payment.version]
    write(tx, SAVE_PAYMENTS, PAYMENT_COLUMNS, [_payment_row(payment, last.get(payment.order_id)) for payment in known])
    write(
        tx,
        SAVE_TRANSACTIONS,
        "ids transactions statuses amounts currencies refunds registers",
        _transaction_rows(known),
    )


def save_disputes(tx: Connection, payments: Iterable[Payment]) -> None:
    """Write the disputes of the payments that have any. The payments' rows must exist."""
    write(tx, SAVE_DISPUTES, DISPUTE_COLUMNS, [_dispute_row(payment) for payment in payments if payment.disputes])


def save_orders(tx: Connection, payments: Iterable[Payment]) -> None:
    """Write the amounts that the shop's orders state, and the log of refunds that were reported before any payment."""
    rows = [
        (
            payment.order_id,
            payment.order.amount.value,
            payment.order.currency.value,
            registers.dump(payment.order),
            registers.dump({} if payment.version else payment.entries),
        )
        for payment in payments
    ]
    write(tx, SAVE_ORDERS, "ids amounts currencies registers entries", rows)


def load_pending(stored: str) -> Alias[Payment]:
    """Return the alias whose `dump_pending` is `stored`."""
    return _pending.decode(stored)


def dump_pending(alias: Alias[Payment]) -> str:
    """Return an alias and the payment that waits for its order as JSON, for a column."""
    return msgspec.json.encode(alias).decode()


def backfill(tx: Connection, released: Sequence[tuple[str, str]]) -> None:
    """Set the order of released webhooks in the history; `released` holds (event id, order id)."""
    write(tx, BACKFILL, "events ids", released)


def record(tx: Connection, applied: Iterable[tuple[PaymentWebhook | DisputeWebhook, Result]]) -> None:
    """Insert every applied webhook into the history with its bytes, late ones included."""
    write(tx, RECORD, HISTORY_COLUMNS, [_history_row(webhook, result) for webhook, result in applied])


class _Claims(msgspec.Struct):
    """The content of `payments.claims`: the claims by their keys, and the payment's state without them."""

    base: Parts
    claims: dict[str, CancelClaim]


_cancels = msgspec.json.Decoder(dict[str, Register[CancelledAmount]])
_entries = msgspec.json.Decoder(dict[str, Register[LogValue]])
_disputes = msgspec.json.Decoder(dict[str, DisputeRegisters])
_pending = msgspec.json.Decoder(Alias[Payment])
_claims = msgspec.json.Decoder(_Claims)


def _payment(
    order_id: str, version: int, text: str, cancels: str, entries: str, claims: str | None, disputes: str | None
) -> Payment:
    """Return the payment of a row, without its transactions and its order."""
    stored = _claims.decode(claims) if claims else None
    return Payment(
        order_id,
        version,
        registers=registers.load(PaymentRegisters, text),
        cancels=_cancels.decode(cancels),
        entries=_entries.decode(entries),
        base=stored.base if stored else None,
        claims=stored.claims if stored else {},
        disputes=_disputes.decode(disputes) if disputes else {},
    )


def _of_order(
    payment: Payment, transactions: Mapping[str, TransactionRegisters], order: str, unpaid_entries: str | None
) -> Payment:
    """Return the payment with its transactions and with what is known of its order."""
    entries = payment.entries if payment.version or not unpaid_entries else _entries.decode(unpaid_entries)
    known = registers.load(OrderRegisters, order)
    return msgspec.structs.replace(payment, transactions=transactions, order=known, entries=entries)


def _payment_row(payment: Payment, last: PaymentWebhook | None) -> tuple[object, ...]:
    stated = payment.stated
    return (
        payment.order_id,
        payment.status,
        stated.method.value,
        stated.transaction_id.value,
        stated.pg_transaction_id.value,
        stated.provider.value,
        stated.amount.value,
        stated.currency.value,
        payment.refunded_amount,
        payment.failure_reason,
        payment.mismatched,
        to_datetime(payment.paid_at),
        payment.registers.user_id.value,
        '{"webhook":' + json_payload.as_json(last.envelope.raw) + "}" if last else None,
        payment.version,
        registers.dump(payment.registers),
        registers.dump(payment.cancels),
        registers.dump(payment.entries),
        msgspec.json.encode(_Claims(payment.parts, dict(payment.claims))).decode() if payment.claims else None,
    )


def _transaction_rows(payments: Iterable[Payment]) -> list[tuple[object, ...]]:
    return [
        (
            payment.order_id,
            transaction_id,
            state.status.value,
            state.amount.value,
            state.currency.value,
            payment.refunded_of(transaction_id),
            registers.dump(state),
        )
        for payment in payments
        for transaction_id, state in sorted(payment.transactions.items())
    ]


def _dispute_row(payment: Payment) -> tuple[object, ...]:
    name, state = dispute.shown(payment.disputes) or ("", dispute.NO_DISPUTE)
    return (
        payment.order_id,
        msgspec.json.encode(payment.disputes).decode(),
        name,
        state.status.value,
        state.reason.value,
        state.amount.value,
        state.currency.value,
        to_datetime(state.evidence_due_by.value),
        dispute.charged_back(payment),
    )


def _history_row(webhook: PaymentWebhook | DisputeWebhook, result: Result) -> tuple[object, ...]:
    envelope, payload = webhook.envelope, webhook.payload
    return (
        envelope.event_id,
        payload.order_id if result.outcome == "waiting" else result.key,
        f"dispute_{payload.status}" if isinstance(webhook, DisputeWebhook) else payload.status,
        result.outcome,
        payload.transaction_id,
        payload.amount,
        payload.currency,
        to_datetime(envelope.occurred_at),
        to_datetime(envelope.received_at),
        envelope.raw,
    )
