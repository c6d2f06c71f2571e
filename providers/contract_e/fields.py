"""Finds values in a body of contract E, under any of the names that its providers use; `data` takes precedence."""

from collections.abc import Iterator, Sequence

import msgspec

from providers.contract import InvalidField
from providers.contract_e.objects import AmountTotal, ContractEFields
from providers.parsing import json_body
from providers.parsing.fields import ABSENT
from providers.parsing.money import units_of_any
from providers.parsing.timestamps import korean
from stream.events import Micros, OrderId

AMOUNT_FIELDS = ("amount", "totalAmount", "total_amount", "totalPayAmount", "TotPrice", "P_AMT")
CANCEL_AMOUNT_FIELDS = ("cancel_amount", "cancelAmount", "canceled_amount")
"""Fields with the total given back so far. KakaoPay's `approved_cancel_amount` is not one: it is that of one cancel."""
PAID_AT_FIELDS = ("paid_at", "paidAt", "approvedAt", "approved_at", "admissionYmdt")
ORDER_ID_FIELDS = ("merchant_uid", "orderId", "order_id", "partner_order_id", "merchantPayKey", "MOID", "P_OID")
PAYMENT_ID_FIELDS = ("imp_uid", "paymentKey", "tid", "paymentId", "P_TID")
"""Fields with the provider's id of a payment."""
EVENT_ID_FIELDS = ("aid", "eventId")
"""Fields with the provider's id of a request or event: the last of a payment's aliases."""
REFUND_ID_FIELDS = ("refundId", "refund_id", "cancellation_id")
_total = msgspec.json.Decoder(AmountTotal)


def order_id(body: ContractEFields) -> OrderId | None:
    """Return the id of the shop's order; None without one."""
    name = first(body, *ORDER_ID_FIELDS)
    return None if name is None else OrderId(name)


def payment_id(body: ContractEFields) -> str:
    """Return the first of the `aliases`, for a payment without an order. Raises InvalidField if there is none."""
    if ids := aliases(body):
        return ids[0]
    raise InvalidField("the body names neither an order nor a payment")


def aliases(body: ContractEFields) -> tuple[str, ...]:
    """Return all ids by which another webhook may link this payment to an order, payment ids first."""
    given = (getattr(part, field) for field in (*PAYMENT_ID_FIELDS, *EVENT_ID_FIELDS) for part in parts(body))
    return tuple(dict.fromkeys(str(item) for item in given if item is not None))


def cancel_reason(body: ContractEFields) -> str | None:
    """Return why a payment was cancelled or refunded, in the provider's words; None without a reason."""
    return first(body, "cancel_reason", "cancelReason", "reason")


def failure_reason(body: ContractEFields) -> str | None:
    """Return why a payment or refund failed, in the provider's words; None without a reason."""
    failure = next((part.failure for part in parts(body) if part.failure), None)
    return first(body, "fail_reason", "failReason", "failureMessage") or (failure.message if failure else None)


def amount(body: ContractEFields, currency: str, *fields: str) -> int | None:
    """Return the amount in the first of `fields` that is present, in minor units; None for zero and without one.

    Raises InvalidField, which names the first of `fields`, for a value that `units` does not accept.
    """
    return units(first_raw(body, *fields) or ABSENT, currency, fields[0])


def units(raw: msgspec.Raw, currency: str, field: str) -> int | None:
    """Return an amount in minor units from a number, a decimal text or an object with a `total`; None for 0 or none.

    Raises InvalidField for anything else; `field` is the name in the message.
    """
    if bytes(raw).startswith(b"{"):
        raw = json_body.read(_total, bytes(raw)).total
    return units_of_any(raw, currency, field)


def instant(body: ContractEFields, *fields: str) -> Micros | None:
    """Return the first readable time in `fields`, in microseconds since 1970 UTC; None without one."""
    return next((at for field in fields if (at := korean(first_raw(body, field), field))), None)


def happened_at(body: ContractEFields) -> Micros | None:
    """Return when a payment failed or was cancelled, else when the event was made, in microseconds; None if unknown."""
    return instant(body, "cancelled_at", "cancelledAt", "canceledAt", "canceled_at", "failed_at", "failedAt") or (
        instant(body, "createdAt", "timestamp")
    )


def first(body: ContractEFields, *fields: str) -> str | None:
    """Return the first id or text in `fields` that is present, in `data` before the outer object; None without one."""
    values: Iterator[str | None] = (getattr(part, field) for part in parts(body) for field in fields)
    return next((value for value in values if value is not None), None)


def first_raw(body: ContractEFields, *fields: str) -> msgspec.Raw | None:
    """Return the raw JSON of the first of `fields` that is not absent, null or empty; None without one.

    Like `first`, it looks in `data` before the outer object.
    """
    values: Iterator[msgspec.Raw] = (getattr(part, field) for part in parts(body) for field in fields)
    return next((value for value in values if bytes(value) not in (b"", b"null", b'""')), None)


def parts(body: ContractEFields) -> list[ContractEFields]:
    """Return the objects that may hold a field, in order of precedence: `data` if there is one, the outer object."""
    return [part for part in (body.data, body) if part]


def first_present(body: ContractEFields, fields: Sequence[str]) -> str | None:
    """Return the name of the first of `fields` that is present; None without one."""
    return next((field for field in fields if first(body, field) is not None), None)
