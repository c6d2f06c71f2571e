"""Translates Stripe's events of refunds."""

import msgspec

from providers.contract import InvalidField, Translation, Unsupported
from providers.parsing import json_body
from providers.parsing.fields import present
from providers.parsing.money import whole_units
from providers.stripe.amounts import money
from providers.stripe.events import event_mode, event_time, order_id
from providers.stripe.objects import StripeEvent, StripeRefund
from stream.events import RefundPayload, RefundStatus

TYPES = frozenset({"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"})
_STATUSES: dict[str, RefundStatus] = {
    "pending": "pending",
    "requires_action": "pending",
    "succeeded": "completed",
    "failed": "rejected",
    "canceled": "rejected",
}
_event = msgspec.json.Decoder(StripeEvent[StripeRefund])


def read(raw: bytes) -> Translation:
    """Translate an event of one of TYPES. `json_body.read` must have checked the body.

    Raises Unsupported for a refund without money and for an unknown status, InvalidField for a field that cannot be
    used, and for a refund without payment, charge and order.
    """
    event = json_body.read_again(_event, raw)
    refund = event.data.object
    if refund.status == "succeeded" and refund.balance_transaction is None:
        raise Unsupported("the refund releases an amount that was not captured: no money is given back")
    at, order, ids = event_time(event), order_id(refund), present((refund.payment_intent, refund.charge))
    if not order and not ids:
        raise InvalidField("a refund must name its payment_intent, its charge, or an order in its metadata")
    amount, currency = money(whole_units(refund.amount), refund.currency)
    status = _STATUSES.get(refund.status or "pending")
    if status is None:
        raise Unsupported(f"the refund status {refund.status} is not known")
    payload = RefundPayload(
        order_id=order,
        alias=None if order else ids[0],
        refund_id=refund.id,
        status=status,
        amount=amount,
        currency=currency,
        reason=(refund.failure_reason if status == "rejected" else None) or refund.reason,
        refunded_at=at if status == "completed" else None,
        aliases=tuple(sorted(set(ids))),
        reported_by_payment=True,
    )
    return Translation(payload, event.type, at, event.id, event_mode(event))
