"""A payment after one more event, in whatever order events come."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from processors.payment.domain import dispute, entries
from processors.payment.domain.payment import FAILED, TRANSITIONS, Claim, Parts, Payment, misfit
from stream.events import DisputeWebhook, OrderWebhook, OutcomeKind, PaymentNotice, PaymentWebhook, RefundWebhook
from stream.state import registers
from stream.state.registers import Stamp, Told

CANCELS = ("partially_cancelled", "cancelled")


def tell(
    payment: Payment, webhook: PaymentWebhook | DisputeWebhook | RefundWebhook | OrderWebhook
) -> tuple[Payment, OutcomeKind]:
    """The payment after a webhook, and what became of the webhook."""
    if isinstance(webhook, PaymentWebhook):
        return tell_payment(payment, webhook)
    if isinstance(webhook, DisputeWebhook):
        return dispute.tell(payment, webhook)
    if isinstance(webhook, RefundWebhook):
        return tell_refund(payment, webhook), "processed"
    return tell_order(payment, webhook), "processed"


def tell_payment(payment: Payment, webhook: PaymentWebhook) -> tuple[Payment, OutcomeKind]:
    """The payment after a webhook of a payment provider. A cancel that does not fit the order's payment waits."""
    notice, envelope = webhook.notice, webhook.envelope
    when = registers.stamp(TRANSITIONS, notice.status, envelope.occurred_at, envelope.event_id)
    outcome: OutcomeKind = "late" if registers.is_behind(payment.told, when) else "processed"
    said = _parts(webhook, _transaction(notice), when)
    if notice.status not in CANCELS or notice.refunded_amount == 0:
        return _rebuilt(payment, _merged(payment.parts, said), payment.claims), outcome
    claim = Claim(
        envelope.provider,
        _transaction(notice),
        said,
        tuple(sorted(_names(notice))),
        is_confirmed=envelope.verification == "confirmed",
    )
    if misfit(payment.parts, claim):
        claim, outcome = replace(claim, waiting=(envelope.event_id,)), "waiting"
    return _rebuilt(payment, payment.parts, _with_claim(payment.claims, claim)), outcome


def tell_order(payment: Payment, webhook: OrderWebhook) -> Payment:
    """The payment after the shop told the order."""
    notice, envelope = webhook.notice, webhook.envelope
    when = (0, envelope.occurred_at or envelope.received_at, 0, envelope.event_id)
    asked = registers.tell(payment.order, when, {"amount": notice.amount, "currency": notice.currency})
    return replace(payment, order=asked)


def tell_refund(payment: Payment, webhook: RefundWebhook) -> Payment:
    """The payment after a webhook of one of its refunds, where the payment tells of refunds too (Stripe)."""
    entry = entries.of_refund(webhook.notice, webhook.envelope.occurred_at or 0, webhook.envelope.event_id)
    after = _rebuilt(payment, _merged(payment.parts, Parts(entries=entry)), payment.claims)
    return replace(after, version=payment.version)


def merge(payment: Payment, other: Payment) -> Payment:
    """Merge an order's payment with pending state that was received before its order was known."""
    claims = payment.claims
    for claim in other.claims.values():
        claims = _with_claim(claims, claim)
    merged = _rebuilt(payment, _merged(payment.parts, other.parts), claims)
    disputes = dispute.merge(payment.disputes, other.disputes)
    return replace(merged, version=payment.version + other.version, disputes=disputes)


def release(payment: Payment) -> tuple[Payment, tuple[str, ...]]:
    """The payment without the events that waited and now count, and their ids."""
    fitting = {
        key: claim for key, claim in payment.claims.items() if claim.waiting and not misfit(payment.parts, claim)
    }
    if not fitting:
        return payment, ()
    claims = {**payment.claims, **{key: replace(claim, waiting=()) for key, claim in fitting.items()}}
    return replace(payment, claims=claims), tuple(id_ for claim in fitting.values() for id_ in claim.waiting)


def _rebuilt(payment: Payment, base: Parts, claims: Mapping[str, Claim]) -> Payment:
    """The payment by all parts that count, one webhook older."""
    parts = base
    for _, claim in sorted(claims.items()):
        if not misfit(base, claim):
            parts = _merged(parts, claim.parts)
    return replace(
        payment,
        version=payment.version + 1,
        told=parts.told,
        transactions=parts.transactions,
        cancels=parts.cancels,
        entries=parts.entries,
        base=base if claims else None,
        claims=claims,
    )


def _merged(one: Parts, other: Parts) -> Parts:
    names = sorted({*one.transactions, *other.transactions})
    return Parts(
        registers.merge(one.told, other.told),
        {name: registers.merge(one.transactions.get(name, {}), other.transactions.get(name, {})) for name in names},
        registers.merge(one.cancels, other.cancels),
        registers.merge(one.entries, other.entries),
    )


def _with_claim(claims: Mapping[str, Claim], claim: Claim) -> Mapping[str, Claim]:
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


def _parts(webhook: PaymentWebhook, transaction: str, when: Stamp) -> Parts:
    notice, provider = webhook.notice, webhook.envelope.provider
    said = {
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
    besides = {
        "transaction": transaction,
        "deposited": True if notice.status == "completed" else None,
        "user_id": notice.user_id,
    }
    return Parts(
        registers.tell({}, when, {**said, **besides}),
        _transactions(transaction, notice, registers.tell({}, when, said)),
        _cancels(notice, transaction),
        entries.of_payment(notice, provider, transaction, when),
    )


def _transaction(notice: PaymentNotice) -> str:
    return notice.pg_transaction_id or notice.transaction_id or ""


def _names(notice: PaymentNotice) -> Iterable[str]:
    return filter(None, {notice.transaction_id, notice.pg_transaction_id, *notice.references})


def _transactions(name: str, notice: PaymentNotice, said: Told) -> Mapping[str, Told]:
    """A webhook that names no transaction is of none, unless it says how much was given back in all."""
    refunded = notice.refunded_amount
    if refunded is None:
        return {name: said} if name else {}
    total: Told = {"refunded_amount": ((refunded, 0, 0, ""), refunded)}
    return {name: {**(said if name else {}), **total}}


def _cancels(notice: PaymentNotice, transaction: str) -> Told:
    told: Told = {}
    for cancel in notice.cancels:
        stamp = (cancel.amount, cancel.cancelled_at or 0, 0, transaction)
        told = registers.tell(told, stamp, {cancel.id: (cancel.amount, transaction)})
    return told
