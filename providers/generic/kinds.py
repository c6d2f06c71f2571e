"""Tells the shop's webhooks apart: one secret signs payments, parcels, refunds, orders and customers alike.

A signed body therefore proves nothing of the path it was meant for. Its `type` does; without one, a field that only
another kind of webhook has (contract A) refuses it.
"""

from typing import Any

import msgspec

from providers.contract import WrongEvent
from providers.parsing import json_body

KINDS = ("payment", "shipping", "refund", "order", "customer")
FOREIGN_FIELDS: dict[str, tuple[str, ...]] = {
    "payment": ("refundId", "processedAt", "trackingNumber", "carrier", "location"),
    "shipping": ("refundId", "processedAt", "paymentMethod", "transactionId", "paidAt", "amount"),
    "refund": ("trackingNumber",),
    "order": ("refundId", "trackingNumber", "transactionId"),
    "customer": ("orderId",),
}
"""By path: fields that a body for this path never has. Fields that a sender may plausibly add are not among them."""


class KindFields(msgspec.Struct):
    """The fields by which kinds are told apart, whatever they hold."""

    type: Any = None
    refundId: Any = None
    processedAt: Any = None
    trackingNumber: Any = None
    carrier: Any = None
    location: Any = None
    paymentMethod: Any = None
    transactionId: Any = None
    paidAt: Any = None
    amount: msgspec.Raw = msgspec.Raw()
    orderId: Any = None


_marks = msgspec.json.Decoder(KindFields)


def check(payload: bytes, kind: str) -> None:
    """Raise WrongEvent for a body of another kind than its path; `payload` is one that `body.read` has been through."""
    marks = json_body.read_again(_marks, payload)
    if marks.type in KINDS and marks.type != kind:
        raise WrongEvent(f"its type is {marks.type}, and this is the path of {kind}")
    if marks.type == kind:
        return
    for field in FOREIGN_FIELDS[kind]:
        if _is_said(getattr(marks, field)):
            raise WrongEvent(f'no {kind} has the field {field}; if this is one, say so with "type": "{kind}"')


def require_type(payload: bytes, kind: str) -> None:
    """Raise WrongEvent for a body that does not say itself that it is of the path's kind (`WEBHOOK_REQUIRE_TYPE`)."""
    if json_body.read_again(_marks, payload).type != kind:
        raise WrongEvent(f'the body must say "type": "{kind}", for WEBHOOK_REQUIRE_TYPE is set')


def _is_said(value: Any) -> bool:
    if isinstance(value, msgspec.Raw):
        return bytes(value) not in (b"", b"null")
    return value not in (None, "")
