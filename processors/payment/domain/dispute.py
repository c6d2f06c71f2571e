"""Disputes of a payment: the state of each dispute, and the domain events that hold for it.

A dispute changes neither the payment's status nor its refunds: the shop has refunded nothing. The amount of a lost
dispute is money that the bank took, and is reported separately as `charged_back`. The state does not depend on the
order of events.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from processors.payment.domain.payment import Payment
from processors.payment.domain.payment_registers import DisputeRegisters
from processors.payment.domain.statuses import DISPUTE_TRANSITIONS, INQUIRY, SETTLED
from stream.events import (
    DisputeClosed,
    DisputeEvent,
    DisputeOpened,
    DisputeWebhook,
    DomainEvent,
    OutcomeKind,
    Webhook,
    ids,
)
from stream.state import registers
from stream.state.money import DEFAULT_CURRENCY
from stream.state.registers import NO_TIME, Stamp, register

FUNDS = ("withdrawn", "reinstated")
EVENTS = (DisputeOpened, DisputeClosed)
NO_DISPUTE = DisputeRegisters()

Disputes = Mapping[str, DisputeRegisters]
"""The disputes of a payment, by id."""

EventKey = tuple[type[DisputeEvent], tuple[str, ...]]
"""The type of a domain event, and the parts of its id: order, dispute, then status, or stage and deadline.

While the order is unknown, the order is empty and the provider is the last part.
"""


def apply_dispute(payment: Payment, webhook: DisputeWebhook) -> tuple[Payment, OutcomeKind]:
    """Return the payment after a webhook of one of its disputes, and `late` or `processed`.

    The outcome is `late` if the webhook's status comes before the dispute's present one.
    """
    payload, envelope = webhook.payload, webhook.envelope
    stamp = registers.stamp(DISPUTE_TRANSITIONS, payload.status, envelope.occurred_at, envelope.event_id)
    moved = Stamp(
        0, envelope.occurred_at or NO_TIME, FUNDS.index(payload.funds) if payload.funds else 0, envelope.event_id
    )
    stated = DisputeRegisters(
        status=register(stamp, payload.status),
        provider=register(stamp, envelope.provider),
        reason=register(stamp, payload.reason),
        amount=register(stamp, payload.amount),
        currency=register(stamp, None if payload.amount is None else payload.currency),
        evidence_due_by=register(stamp, payload.evidence_due_by),
        transaction_id=register(stamp, payload.transaction_id),
        funds=register(moved, payload.funds or None),
    )
    before = payment.disputes.get(payload.dispute_id, NO_DISPUTE)
    after = registers.merge(before, stated)
    disputes = {**payment.disputes, payload.dispute_id: after}
    outcome: OutcomeKind = "late" if stamp < before.status.stamp else "processed"
    return replace(payment, version=payment.version + 1, disputes=disputes), outcome


def merge(left: Disputes, right: Disputes) -> Disputes:
    """Return the disputes of both; those with one id are merged register by register."""
    dispute_ids = sorted({*left, *right})
    return {id_: registers.merge(left.get(id_, NO_DISPUTE), right.get(id_, NO_DISPUTE)) for id_ in dispute_ids}


def event_keys(payment: Payment) -> tuple[EventKey, ...]:
    """Return the key of the event that holds for each dispute, sorted by dispute id: DisputeOpened or DisputeClosed.

    A changed deadline of an open dispute makes a new key, and so a new event.
    """
    return tuple(_event_key(payment, dispute_id, state) for dispute_id, state in sorted(payment.disputes.items()))


def new_events(before: Payment, after: Payment, cause: Webhook) -> tuple[DomainEvent, ...]:
    """Return the dispute events that hold after the change and did not before; `after` may have no order yet."""
    known = event_keys(before)
    return tuple(build_event(key, after, cause) for key in event_keys(after) if key not in known)


def build_event(event_key: EventKey, payment: Payment, cause: Webhook) -> DomainEvent:
    """Build the domain event of a key from the state of its dispute."""
    kind, key = event_key
    state, envelope = payment.disputes[key[1]], cause.envelope
    return kind(
        event_id=ids.domain_event_id(kind.__name__, *key),
        caused_by=envelope.event_id,
        mode=envelope.mode,
        occurred_at=envelope.occurred_at,
        received_at=envelope.received_at,
        order_id=payment.order_id or None,
        customer_id=payment.registers.user_id.value,
        provider=state.provider.value or "",
        dispute_id=key[1],
        status=state.status.value or "",
        reason=state.reason.value,
        amount=state.amount.value,
        currency=state.currency.value or DEFAULT_CURRENCY,
        evidence_due_by=state.evidence_due_by.value,
        transaction_id=state.transaction_id.value,
    )


def shown(disputes: Disputes) -> tuple[str, DisputeRegisters] | None:
    """Return the id and the state of the dispute that a payment's row shows; None without disputes.

    It is the open dispute with the earliest deadline, else the one that was closed last.
    """

    def urgency(entry: tuple[str, DisputeRegisters]) -> tuple[bool, bool, int, int, str]:
        dispute_id, state = entry
        is_settled, due_by = state.status.value in SETTLED, state.evidence_due_by.value
        return (is_settled, due_by is None, 0 if is_settled else due_by or 0, -state.status.stamp.at, dispute_id)

    return min(disputes.items(), key=urgency, default=None)


def charged_back(payment: Payment) -> int:
    """Return the sum of lost disputes in minor units, without those in another currency than the payment's.

    While the payment's currency is unknown, all of them count.
    """
    currency = payment.stated.currency.value
    lost = [state for state in payment.disputes.values() if state.status.value == "lost"]
    return sum(state.amount.value or 0 for state in lost if currency in (None, state.currency.value or currency))


def _event_key(payment: Payment, dispute_id: str, state: DisputeRegisters) -> EventKey:
    """Return the key of the event that holds for a dispute, with its provider while the order is unknown."""
    status = state.status.value or ""
    provider = () if payment.order_id else (state.provider.value or "",)
    if status in SETTLED:
        return DisputeClosed, (payment.order_id, dispute_id, status, *provider)
    stage = "inquiry" if status in INQUIRY else "dispute"
    due_by = str(state.evidence_due_by.value or "")
    return DisputeOpened, (payment.order_id, dispute_id, stage, due_by, *provider)
