"""Apply a webhook to a payment. The result does not depend on the order in which webhooks arrive."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from msgspec.structs import replace as with_fields

from processors.payment.domain import dispute, transaction_log
from processors.payment.domain.cancel_claims import CancelClaim, Parts, mismatch_reason
from processors.payment.domain.payment import FAILED, TRANSITIONS, Payment
from stream.events import DisputeWebhook, OrderWebhook, OutcomeKind, PaymentNotice, PaymentWebhook, RefundWebhook
from stream.state import untyped_registers as registers
from stream.state.untyped_registers import Registers, Stamp

CANCELS = ("partially_cancelled", "cancelled")


def apply_webhook(
    payment: Payment, webhook: PaymentWebhook | DisputeWebhook | RefundWebhook | OrderWebhook
) -> tuple[Payment, OutcomeKind]:
    """Return the payment after a webhook, and the webhook's outcome."""
    if isinstance(webhook, PaymentWebhook):
        return apply_payment(payment, webhook)
    if isinstance(webhook, DisputeWebhook):
        return dispute.apply_dispute(payment, webhook)
    if isinstance(webhook, RefundWebhook):
        return apply_refund(payment, webhook), "processed"
    return apply_order(payment, webhook), "processed"


def apply_payment(payment: Payment, webhook: PaymentWebhook) -> tuple[Payment, OutcomeKind]:
    """Apply a payment provider's webhook. A cancel that does not belong to the order's payment is `waiting`."""
    notice, envelope = webhook.notice, webhook.envelope
    stamp = registers.stamp(TRANSITIONS, notice.status, envelope.occurred_at, envelope.event_id)
    outcome: OutcomeKind = "late" if registers.is_behind(payment.told, stamp) else "processed"
    parts = _parts(webhook, _transaction(notice), stamp)
    if notice.status not in CANCELS or notice.refunded_amount == 0:
        return _rebuilt(payment, _merged(payment.parts, parts), payment.claims), outcome
    claim = CancelClaim(
        envelope.provider,
        _transaction(notice),
        parts,
        tuple(sorted(_aliases(notice))),
        is_confirmed=envelope.verification == "confirmed",
    )
    if mismatch_reason(payment.parts, claim):
        claim, outcome = replace(claim, waiting=(envelope.event_id,)), "waiting"
    return _rebuilt(payment, payment.parts, _with_claim(payment.claims, claim)), outcome


def apply_order(payment: Payment, webhook: OrderWebhook) -> Payment:
    """Set the amount and currency that the shop's order states."""
    notice, envelope = webhook.notice, webhook.envelope
    stamp = (0, envelope.occurred_at or envelope.received_at, 0, envelope.event_id)
    order = registers.update(payment.order, stamp, {"amount": notice.amount, "currency": notice.currency})
    return with_fields(payment, order=order)


def apply_refund(payment: Payment, webhook: RefundWebhook) -> Payment:
    """Apply a refund's own webhook, where the payment reports refunds too (Stripe). `version` does not change."""
    entries = transaction_log.refund_entries(
        webhook.notice, webhook.envelope.occurred_at or 0, webhook.envelope.event_id
    )
    after = _rebuilt(payment, _merged(payment.parts, Parts(entries=entries)), payment.claims)
    return with_fields(after, version=payment.version)


def merge(payment: Payment, other: Payment) -> Payment:
    """Merge an order's payment with pending state that was received before its order was known."""
    claims = payment.claims
    for claim in other.claims.values():
        claims = _with_claim(claims, claim)
    merged = _rebuilt(payment, _merged(payment.parts, other.parts), claims)
    disputes = dispute.merge(payment.disputes, other.disputes)
    return with_fields(merged, version=payment.version + other.version, disputes=disputes)


def release_claims(payment: Payment) -> tuple[Payment, tuple[str, ...]]:
    """Return the payment without the waiting events that count now, and the ids of these events."""
    fitting = {
        key: claim
        for key, claim in payment.claims.items()
        if claim.waiting and not mismatch_reason(payment.parts, claim)
    }
    if not fitting:
        return payment, ()
    claims = {**payment.claims, **{key: replace(claim, waiting=()) for key, claim in fitting.items()}}
    return with_fields(payment, claims=claims), tuple(
        event_id for claim in fitting.values() for event_id in claim.waiting
    )


def _rebuilt(payment: Payment, base: Parts, claims: Mapping[str, CancelClaim]) -> Payment:
    """Return the payment made of `base` and the claims that fit it, with the next version."""
    parts = base
    for _, claim in sorted(claims.items()):
        if not mismatch_reason(base, claim):
            parts = _merged(parts, claim.parts)
    return with_fields(
        payment,
        version=payment.version + 1,
        told=parts.told,
        transactions=parts.transactions,
        cancels=parts.cancels,
        entries=parts.entries,
        base=base if claims else None,
        claims=claims,
    )


def _merged(left: Parts, right: Parts) -> Parts:
    return Parts(
        registers.merge(left.told, right.told),
        _merged_transactions(left.transactions, right.transactions),
        registers.merge(left.cancels, right.cancels),
        registers.merge(left.entries, right.entries),
    )


def _merged_transactions(left: Mapping[str, Registers], right: Mapping[str, Registers]) -> Mapping[str, Registers]:
    """Return the transactions of both, sorted by name so that equal states are equal as JSON too."""
    if not (left and right):
        return left or right
    names = sorted({*left, *right})
    return {name: registers.merge(left.get(name, {}), right.get(name, {})) for name in names}


def _with_claim(claims: Mapping[str, CancelClaim], claim: CancelClaim) -> Mapping[str, CancelClaim]:
    key = f"{claim.provider}\n{claim.transaction}"
    if (known := claims.get(key)) is not None:
        claim = replace(
            known,
            parts=_merged(known.parts, claim.parts),
            names=tuple(sorted({*known.names, *claim.names})),
            is_confirmed=known.is_confirmed or claim.is_confirmed,
            waiting=(*known.waiting, *claim.waiting),
        )
    return {**claims, key: claim}


def _parts(webhook: PaymentWebhook, transaction: str, stamp: Stamp) -> Parts:
    notice, provider = webhook.notice, webhook.envelope.provider
    fields = {
        "status": notice.status,
        "provider": provider,
        "method": notice.method,
        "transaction_id": notice.transaction_id,
        "pg_transaction_id": notice.pg_transaction_id,
        "amount": notice.amount,
        "currency": None if notice.amount is None else notice.currency,
        "failure_reason": notice.failure_reason if notice.status in FAILED else None,
        "paid_at": notice.paid_at,
        "released_amount": notice.released_amount,
    }
    payment_fields = {
        "transaction": transaction,
        "deposited": True if notice.status == "completed" else None,
        "user_id": notice.user_id,
    }
    state = registers.of(stamp, fields)
    return Parts(
        {**state, **registers.of(stamp, payment_fields)},
        _transactions(transaction, notice, state),
        _cancels(notice, transaction),
        transaction_log.payment_entries(notice, provider, transaction, stamp),
    )


def _transaction(notice: PaymentNotice) -> str:
    return notice.pg_transaction_id or notice.transaction_id or ""


def _aliases(notice: PaymentNotice) -> Iterable[str]:
    return filter(None, {notice.transaction_id, notice.pg_transaction_id, *notice.references})


def _transactions(name: str, notice: PaymentNotice, state: Registers) -> Mapping[str, Registers]:
    """Return the transaction's state by name; empty for a webhook that states neither a transaction nor a total."""
    refunded = notice.refunded_amount
    if refunded is None:
        return {name: state} if name else {}
    total: Registers = {"refunded_amount": ((refunded, 0, 0, ""), refunded)}
    return {name: {**(state if name else {}), **total}}


def _cancels(notice: PaymentNotice, transaction: str) -> Registers:
    cancels: Registers = {}
    for cancel in notice.cancels:
        stamp = (cancel.amount, cancel.cancelled_at or 0, 0, transaction)
        cancels = registers.update(cancels, stamp, {cancel.id: (cancel.amount, transaction)})
    return cancels
