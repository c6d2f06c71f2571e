"""The values of the payment processor's columns, made from payments and webhooks; and payments made from rows.

A function `…_columns` returns the values of rows, by column. Each column is one list, which costs half as much as one
mapping for each row (ADR 33).
"""

from collections.abc import Mapping, Sequence

import msgspec

from processors.payment.domain import CancelClaim, Parts, Payment, dispute
from processors.payment.domain.payment_registers import (
    CancelledAmount,
    DisputeRegisters,
    OrderRegisters,
    PaymentRegisters,
    TransactionRegisters,
)
from processors.payment.domain.transactions.transaction_log import LogValue
from stream.events import DisputeWebhook, OrderId, PaymentWebhook
from stream.state import registers
from stream.state.aliases import Alias
from stream.state.fold import Result
from stream.state.json_payload import as_metadata
from stream.state.registers import Register
from stream.store.statements import ColumnValues


class _Claims(msgspec.Struct):
    """The content of `payments.claims`: the claims by their keys, and the payment's state without them."""

    base: Parts
    claims: dict[str, CancelClaim]


_cancels = msgspec.json.Decoder(dict[str, Register[CancelledAmount]])
_entries = msgspec.json.Decoder(dict[str, Register[LogValue]])
_disputes = msgspec.json.Decoder(dict[str, DisputeRegisters])
_pending = msgspec.json.Decoder(Alias[Payment])
_claims = msgspec.json.Decoder(_Claims)


def payment_of(
    order_id: OrderId, version: int, stated: str, cancels: str, entries: str, claims: str | None, disputes: str
) -> Payment:
    """Return the payment in a row of `payments`, without what `with_order` adds. `stated` is the column `registers`."""
    stored = _claims.decode(claims) if claims else None
    return Payment(
        order_id,
        version,
        registers=registers.load(PaymentRegisters, stated),
        cancels=_cancels.decode(cancels),
        entries=_entries.decode(entries),
        base=stored.base if stored else None,
        claims=stored.claims if stored else {},
        disputes=_disputes.decode(disputes),
    )


def with_order(
    payment: Payment, transactions: Mapping[str, TransactionRegisters], order: str, unpaid_entries: str
) -> Payment:
    """Return the payment with its transactions, and with the columns `registers` and `entries` of its row in `orders`.

    `unpaid_entries` is the log of refunds while no payment is known; it is ignored for a payment with a version.
    """
    entries = payment.entries if payment.version else _entries.decode(unpaid_entries)
    known = registers.load(OrderRegisters, order)
    return msgspec.structs.replace(payment, transactions=transactions, order=known, entries=entries)


def load_pending(stored: str) -> Alias[Payment]:
    """Return the alias whose `dump_pending` is `stored`."""
    return _pending.decode(stored)


def dump_pending(alias: Alias[Payment]) -> str:
    """Return an alias, and the payment pending under it, as JSON for a column."""
    return msgspec.json.encode(alias).decode()


def order_columns(payments: Sequence[Payment]) -> ColumnValues:
    """Return the rows of `orders`: what the shop's order states, and the log of refunds while no payment is known."""
    return {
        "order_id": [payment.order_id for payment in payments],
        "amount": [payment.order.amount.value for payment in payments],
        "currency": [payment.order.currency.value for payment in payments],
        "registers": [registers.dump(payment.order) for payment in payments],
        "entries": [registers.dump(payment.unpaid_entries) for payment in payments],
    }


def payment_columns(payments: Sequence[Payment], last_webhooks: Mapping[str, PaymentWebhook]) -> ColumnValues:
    """Return the rows of `payments` without DISPUTE_COLUMNS.

    `last_webhooks` holds the last webhook of each order in the batch, by order id; `metadata` is None without one.
    """
    shown = [payment.stated for payment in payments]
    webhooks = [last_webhooks.get(payment.order_id) for payment in payments]
    return {
        "order_id": [payment.order_id for payment in payments],
        "status": [payment.status for payment in payments],
        "method": [stated.method.value for stated in shown],
        "transaction_id": [stated.transaction_id.value for stated in shown],
        "pg_transaction_id": [stated.pg_transaction_id.value for stated in shown],
        "provider": [stated.provider.value for stated in shown],
        "amount": [stated.amount.value for stated in shown],
        "currency": [stated.currency.value for stated in shown],
        "refunded_amount": [payment.refunded_amount for payment in payments],
        "failure_reason": [payment.failure_reason for payment in payments],
        "mismatched": [payment.mismatched for payment in payments],
        "paid_at": [payment.paid_at for payment in payments],
        "user_id": [payment.registers.user_id.value for payment in payments],
        "metadata": [as_metadata(webhook.envelope.raw) if webhook else None for webhook in webhooks],
        "version": [payment.version for payment in payments],
        "registers": [registers.dump(payment.registers) for payment in payments],
        "cancels": [registers.dump(payment.cancels) for payment in payments],
        "entries": [registers.dump(payment.entries) for payment in payments],
        "claims": [_dumped_claims(payment) if payment.claims else None for payment in payments],
    }


def transaction_columns(payments: Sequence[Payment]) -> ColumnValues:
    """Return the rows of `transactions`, those of each payment sorted by id."""
    rows = [(payment, *item) for payment in payments for item in sorted(payment.transactions.items())]
    return {
        "order_id": [payment.order_id for payment, _, _ in rows],
        "transaction_id": [transaction_id for _, transaction_id, _ in rows],
        "status": [state.status.value for _, _, state in rows],
        "amount": [state.amount.value for _, _, state in rows],
        "currency": [state.currency.value for _, _, state in rows],
        "refunded_amount": [payment.refunds.amount_of(transaction_id) for payment, transaction_id, _ in rows],
        "registers": [registers.dump(state) for _, _, state in rows],
    }


def dispute_columns(payments: Sequence[Payment]) -> ColumnValues:
    """Return the DISPUTE_COLUMNS of rows of `payments`; for a payment without disputes they are empty or None."""
    shown = [dispute.shown(payment.disputes) or ("", dispute.NO_DISPUTE) for payment in payments]
    return {
        "order_id": [payment.order_id for payment in payments],
        "disputes": [msgspec.json.encode(payment.disputes).decode() for payment in payments],
        "dispute_id": [dispute_id for dispute_id, _ in shown],
        "dispute_status": [state.status.value for _, state in shown],
        "dispute_reason": [state.reason.value for _, state in shown],
        "disputed_amount": [state.amount.value for _, state in shown],
        "disputed_currency": [state.currency.value for _, state in shown],
        "dispute_due_at": [state.evidence_due_by.value for _, state in shown],
        "charged_back_amount": [dispute.charged_back(payment) for payment in payments],
    }


def history_columns(applied: Sequence[tuple[PaymentWebhook | DisputeWebhook, Result]]) -> ColumnValues:
    """Return the rows of `payment_history`, one per webhook; a waiting one has an order only if it names it itself."""
    envelopes, payloads = [webhook.envelope for webhook, _ in applied], [webhook.payload for webhook, _ in applied]
    return {
        "event_id": [envelope.event_id for envelope in envelopes],
        "order_id": [
            webhook.payload.order_id if result.outcome == "waiting" else result.key for webhook, result in applied
        ],
        "status": [_status(webhook) for webhook, _ in applied],
        "outcome": [result.outcome for _, result in applied],
        "transaction_id": [payload.transaction_id for payload in payloads],
        "amount": [payload.amount for payload in payloads],
        "currency": [payload.currency for payload in payloads],
        "occurred_at": [envelope.occurred_at for envelope in envelopes],
        "received_at": [envelope.received_at for envelope in envelopes],
        "payload": [envelope.raw for envelope in envelopes],
    }


def _dumped_claims(payment: Payment) -> str:
    return msgspec.json.encode(_Claims(payment.parts, dict(payment.claims))).decode()


def _status(webhook: PaymentWebhook | DisputeWebhook) -> str:
    return f"dispute_{webhook.payload.status}" if isinstance(webhook, DisputeWebhook) else webhook.payload.status
