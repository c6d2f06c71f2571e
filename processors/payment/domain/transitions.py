"""Apply a webhook to a payment. The state does not depend on the order in which webhooks arrive."""

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from msgspec.structs import replace as with_fields

from processors.payment.domain import dispute
from processors.payment.domain.payment import Payment
from processors.payment.domain.payment_registers import (
    NO_REGISTERS,
    NO_TRANSACTION,
    OrderRegisters,
    TransactionRegisters,
)
from processors.payment.domain.statuses import CANCELS, TRANSITIONS
from processors.payment.domain.transactions import transaction_log
from processors.payment.domain.transactions.cancel_claims import CancelClaim, Parts, claim_key, mismatch_reason
from processors.payment.domain.webhook_parts import aliases_in, parts_of, transaction_of
from stream.events import (
    DisputeWebhook,
    OrderWebhook,
    OutcomeKind,
    PaymentWebhook,
    RefundWebhook,
)
from stream.state import registers
from stream.state.registers import NO_TIME, Stamp, register


def apply_webhook(
    payment: Payment, webhook: PaymentWebhook | DisputeWebhook | RefundWebhook | OrderWebhook
) -> tuple[Payment, OutcomeKind]:
    """Return the payment after a webhook, and the outcome, which is `processed` for refunds and orders."""
    match webhook:
        case PaymentWebhook():
            return apply_payment(payment, webhook)
        case DisputeWebhook():
            return dispute.apply_dispute(payment, webhook)
        case RefundWebhook():
            return apply_refund(payment, webhook), "processed"
        case OrderWebhook():
            return apply_order(payment, webhook), "processed"
        case _:
            assert_never(webhook)


def apply_payment(payment: Payment, webhook: PaymentWebhook) -> tuple[Payment, OutcomeKind]:
    """Return the payment after a webhook, and the outcome: `late` if its status comes before the present one.

    A cancel that does not belong to the order's payment is stored in `claims`, does not count, and is `waiting`.
    """
    payload, envelope = webhook.payload, webhook.envelope
    stamp = registers.stamp(TRANSITIONS, payload.status, envelope.occurred_at, envelope.event_id)
    outcome: OutcomeKind = "late" if stamp < payment.registers.status.stamp else "processed"
    parts = parts_of(webhook, stamp)
    if payload.status not in CANCELS or payload.refunded_amount == 0:
        return _rebuilt(payment, _merged(payment.parts, parts), payment.claims), outcome
    claim = CancelClaim(
        envelope.provider,
        transaction_of(payload),
        parts,
        tuple(aliases_in(payload)),
        is_confirmed=envelope.verification == "confirmed",
    )
    if mismatch_reason(payment.parts, claim):
        claim, outcome = replace(claim, waiting=(envelope.event_id,)), "waiting"
    return _rebuilt(payment, payment.parts, _with_claim(payment.claims, claim)), outcome


def apply_order(payment: Payment, webhook: OrderWebhook) -> Payment:
    """Return the payment with the amount and currency that the shop's order states. `version` does not change."""
    payload, envelope = webhook.payload, webhook.envelope
    stamp = Stamp(0, envelope.occurred_at or envelope.received_at, 0, envelope.event_id)
    order = OrderRegisters(amount=register(stamp, payload.amount), currency=register(stamp, payload.currency))
    return with_fields(payment, order=registers.merge(payment.order, order))


def apply_refund(payment: Payment, webhook: RefundWebhook) -> Payment:
    """Return the payment with a refund's own webhook in its log. `version` does not change.

    Meant for refunds that the payment's webhooks report too (Stripe).
    """
    entries = transaction_log.refund_entries(
        webhook.payload, webhook.envelope.occurred_at or NO_TIME, webhook.envelope.event_id
    )
    after = _rebuilt(payment, _merged(payment.parts, Parts(entries=entries)), payment.claims)
    return with_fields(after, version=payment.version)


def merge(payment: Payment, pending: Payment) -> Payment:
    """Return an order's payment merged with pending state, received before its order was known.

    The versions are added; the registers of the order (`Payment.order`) are those of `payment`.
    """
    claims = payment.claims
    for claim in pending.claims.values():
        claims = _with_claim(claims, claim)
    merged = _rebuilt(payment, _merged(payment.parts, pending.parts), claims)
    disputes = dispute.merge(payment.disputes, pending.disputes)
    return with_fields(merged, version=payment.version + pending.version, disputes=disputes)


def release_claims(payment: Payment) -> tuple[Payment, tuple[str, ...]]:
    """Return the payment, and the ids of the events that waited in claims which count now; these wait no longer.

    The ids are empty, and the payment is the same object, if no such event waited.
    """
    if not payment.claims:
        return payment, ()
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
        registers=parts.registers,
        transactions=parts.transactions,
        cancels=parts.cancels,
        entries=parts.entries,
        base=base if claims else None,
        claims=claims,
    )


def _merged(left: Parts, right: Parts) -> Parts:
    if left.registers is NO_REGISTERS and not (left.transactions or left.cancels or left.entries):
        return right
    return Parts(
        registers.merge(left.registers, right.registers),
        _merged_transactions(left.transactions, right.transactions),
        registers.merge_by_key(left.cancels, right.cancels),
        registers.merge_by_key(left.entries, right.entries),
    )


def _merged_transactions(
    left: Mapping[str, TransactionRegisters], right: Mapping[str, TransactionRegisters]
) -> Mapping[str, TransactionRegisters]:
    """Return the transactions of both, sorted by id so that equal states are equal as JSON too.

    Returns `left` itself if `right` changes none of them.
    """
    if not (left and right):
        return left or right
    merged = {id_: registers.merge(left.get(id_, NO_TRANSACTION), state) for id_, state in right.items()}
    if all(state is left.get(id_) for id_, state in merged.items()):
        return left
    return dict(sorted({**left, **merged}.items()))


def _with_claim(claims: Mapping[str, CancelClaim], claim: CancelClaim) -> Mapping[str, CancelClaim]:
    key = claim_key(claim.provider, claim.transaction)
    if (known := claims.get(key)) is not None:
        claim = replace(
            known,
            parts=_merged(known.parts, claim.parts),
            names=tuple(sorted({*known.names, *claim.names})),
            is_confirmed=known.is_confirmed or claim.is_confirmed,
            waiting=(*known.waiting, *claim.waiting),
        )
    return {**claims, key: claim}
