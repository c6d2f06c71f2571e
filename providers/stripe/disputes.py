"""Translates Stripe's dispute events (docs.stripe.com/disputes/how-disputes-work)."""

from typing import get_args

import msgspec

from providers.contract import InvalidField, Translation
from providers.parsing import json_body
from providers.parsing.fields import present
from providers.parsing.money import whole_units
from providers.parsing.timestamps import instant
from providers.stripe.amounts import money
from providers.stripe.events import event_mode, event_time, order_id
from providers.stripe.objects import StripeDispute, StripeEvent
from stream.events import DisputePayload, DisputeStatus, Micros

OPEN_TYPES = frozenset({"charge.dispute.created", "charge.dispute.updated"})
FUNDS = {"charge.dispute.funds_withdrawn": "withdrawn", "charge.dispute.funds_reinstated": "reinstated"}
CLOSED = "charge.dispute.closed"
TYPES = OPEN_TYPES | FUNDS.keys() | {CLOSED}

_STATUSES: dict[str, DisputeStatus] = {
    **{status: status for status in get_args(DisputeStatus)},
    "prevented": "closed",
    "charge_refunded": "closed",
}
"""Stripe's status → ours. `charge_refunded` (older API versions) and `prevented` (newer ones) end without a verdict."""

_event = msgspec.json.Decoder(StripeEvent[StripeDispute])


def read(raw: bytes) -> Translation:
    """Translate an event of one of TYPES. `json_body.read` must have checked the body.

    An unknown status becomes `closed` in a closing event, else `needs_response`. Raises InvalidField for a field that
    cannot be used, and for a dispute without payment, charge and order.
    """
    event = json_body.read_again(_event, raw)
    dispute = event.data.object
    ids = present((dispute.payment_intent, dispute.charge))
    order = order_id(dispute)
    if not order and not ids:
        raise InvalidField("a dispute must name its payment_intent, its charge, or an order in its metadata")
    amount, currency = money(whole_units(dispute.amount), dispute.currency)
    payload = DisputePayload(
        order_id=order,
        alias=None if order else ids[0],
        dispute_id=dispute.id,
        status=_status(event.type, dispute),
        reason=dispute.reason,
        amount=amount,
        currency=currency,
        evidence_due_by=_due_by(dispute),
        funds=FUNDS.get(event.type),
        transaction_id=ids[0] if ids else None,
        aliases=tuple(sorted(set(ids))),
    )
    return Translation(payload, event.type, event_time(event), event.id, event_mode(event))


def _status(event_type: str, dispute: StripeDispute) -> DisputeStatus:
    unknown: DisputeStatus = "closed" if event_type == CLOSED else "needs_response"
    return _STATUSES.get(dispute.status or "", unknown)


def _due_by(dispute: StripeDispute) -> Micros | None:
    return instant(dispute.evidence_details.due_by, "due_by") if dispute.evidence_details else None
