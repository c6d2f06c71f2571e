"""Checks that a body is of its path's kind. One secret signs payments, parcels, refunds, orders and customers.

A valid signature therefore does not show for which path a body was made. Its `type` does; without one, a body is
refused if it has a field that only another kind of webhook has (contract A).
"""

import msgspec

from providers.contract import WrongEvent
from providers.parsing import json_body
from providers.parsing.fields import AnyJson

KINDS = ("payment", "shipping", "refund", "order", "customer")
FOREIGN_FIELDS: dict[str, tuple[str, ...]] = {
    "payment": ("refundId", "processedAt", "trackingNumber", "carrier", "location"),
    "shipping": ("refundId", "processedAt", "paymentMethod", "transactionId", "paidAt", "amount"),
    "refund": ("trackingNumber",),
    "order": ("refundId", "trackingNumber", "transactionId"),
    "customer": ("orderId",),
}
"""Kind → fields that a body of this kind never has. Fields that a sender may plausibly add are not listed."""


class KindFields(msgspec.Struct):
    """The fields that distinguish the kinds, with any value."""

    type: AnyJson = None
    refundId: AnyJson = None
    processedAt: AnyJson = None
    trackingNumber: AnyJson = None
    carrier: AnyJson = None
    location: AnyJson = None
    paymentMethod: AnyJson = None
    transactionId: AnyJson = None
    paidAt: AnyJson = None
    amount: msgspec.Raw = msgspec.Raw()
    orderId: AnyJson = None


_fields = msgspec.json.Decoder(KindFields)


def check(payload: bytes, kind: str) -> None:
    """Raise WrongEvent for a body of another kind than `kind`, its path's. `json_body.read` must have read the body."""
    fields = json_body.read_again(_fields, payload)
    if fields.type in KINDS and fields.type != kind:
        raise WrongEvent(f"the body's type is {fields.type}, but this path is for {kind}")
    if fields.type == kind:
        return
    for field in FOREIGN_FIELDS[kind]:
        if _is_present(getattr(fields, field)):
            raise WrongEvent(f'a {kind} does not have the field {field}; if this is a {kind}, add "type": "{kind}"')


def require_type(payload: bytes, kind: str) -> None:
    """Raise WrongEvent unless the body's `type` is `kind`. `json_body.read` must have read the body."""
    if json_body.read_again(_fields, payload).type != kind:
        raise WrongEvent(f'the body must have "type": "{kind}", because WEBHOOK_REQUIRE_TYPE is set')


def _is_present(value: object) -> bool:
    if isinstance(value, msgspec.Raw):
        return bytes(value) not in (b"", b"null")
    return value not in (None, "")
