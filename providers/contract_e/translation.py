"""Translates contract E's webhooks of payments and refunds."""

import msgspec

from providers.contract import Received, Translation, Unsupported, WrongEvent
from providers.contract_e import fields
from providers.contract_e.fields import (
    AMOUNT_FIELDS,
    CANCEL_AMOUNT_FIELDS,
    EVENT_ID_FIELDS,
    PAID_AT_FIELDS,
    PAYMENT_ID_FIELDS,
    REFUND_ID_FIELDS,
    first,
)
from providers.contract_e.objects import ContractEFields
from providers.parsing import json_body
from providers.parsing.money import currency_code
from providers.parsing.timestamps import korean
from stream.events import Cancel, PaymentPayload, PaymentStatus, RefundPayload

_TYPES = {
    **dict.fromkeys(("PAID", "DONE", "SUCCESS_PAYMENT"), "PAYMENT_COMPLETED"),
    **dict.fromkeys(("FAILED", "ABORTED", "FAIL_PAYMENT"), "PAYMENT_FAILED"),
    **dict.fromkeys(("CANCELLED", "CANCELED", "CANCEL_PAYMENT"), "PAYMENT_CANCELLED"),
    **dict.fromkeys(("PARTIAL_CANCELED", "PARTIAL_CANCELLED", "PART_CANCEL_PAYMENT"), "PAYMENT_CANCELLED"),
    "REFUNDED": "REFUND_COMPLETED",
}
_PARTIAL_STATUSES = frozenset({"PARTIAL_CANCELED", "PARTIAL_CANCELLED", "PART_CANCEL_PAYMENT"})
_STATUSES: dict[str, PaymentStatus] = {
    "PAYMENT_COMPLETED": "completed",
    "PAYMENT_FAILED": "failed",
    "PAYMENT_CANCELLED": "cancelled",
}
_fields = msgspec.json.Decoder(ContractEFields)


def translate(received: Received, kind: str) -> Translation:
    """Translate a webhook of contract E: flat, or with its fields in `data`.

    The event type follows from the status. `kind` is that of the path: on the path of refunds, a failure is that of a
    refund, not of a payment. Raises Unsupported for another status, WrongEvent for a failed refund on the path of
    payments, Malformed or InvalidField for a body that cannot be read or names neither an order nor a payment.
    """
    body = json_body.read(_fields, received.body)
    status = (first(body, "status") or "").upper()
    event_type = _TYPES.get(status)
    if event_type is None:
        raise Unsupported("contract E does not have the status of the body")
    if event_type == "PAYMENT_FAILED" and kind == "refund":
        event_type = "REFUND_FAILED"
    if event_type == "PAYMENT_FAILED" and kind == "payment" and (field := fields.first_present(body, REFUND_ID_FIELDS)):
        raise WrongEvent(f"a failed payment does not have the field {field}: post refunds to /webhooks/refund")
    if event_type.startswith("REFUND"):
        return _refund(body, event_type)
    return _payment(body, event_type, is_part=status in _PARTIAL_STATUSES)


def _payment(body: ContractEFields, event_type: str, *, is_part: bool) -> Translation:
    currency = currency_code(first(body, "currency"))
    amount = fields.amount(body, currency, *AMOUNT_FIELDS)
    cancels, refunded = _cancels_or_total(body, currency, amount) if event_type == "PAYMENT_CANCELLED" else ((), None)
    is_part = is_part or bool(amount and refunded and refunded < amount)
    order, paid_at = fields.order_id(body), fields.instant(body, *PAID_AT_FIELDS)
    payload = PaymentPayload(
        order_id=order,
        alias=None if order else fields.payment_id(body),
        status="partially_cancelled" if is_part else _STATUSES[event_type],
        method=first(body, "method", "paymentMethod", "pay_method", "payment_method_type"),
        transaction_id=first(body, "merchant_uid") or first(body, "paymentKey", "tid", "paymentId", "P_TID"),
        pg_transaction_id=first(body, "imp_uid"),
        amount=amount,
        currency=currency,
        failure_reason=fields.failure_reason(body) if event_type == "PAYMENT_FAILED" else None,
        paid_at=paid_at,
        cancels=cancels,
        refunded_amount=refunded,
        aliases=fields.aliases(body),
    )
    at = paid_at if event_type == "PAYMENT_COMPLETED" else None
    part = cancels[-1].id if cancels else refunded or ("PART" if is_part else None)
    return Translation(payload, event_type, at or fields.happened_at(body), _event_id(body, event_type, part))


def _cancels_or_total(
    body: ContractEFields, currency: str, amount: int | None
) -> tuple[tuple[Cancel, ...], int | None]:
    """Return the cancels if the body lists them, else the total given back so far; ((), None) if it states neither."""
    if cancels := _cancels(body, currency):
        return cancels, None
    if refunded := fields.amount(body, currency, *CANCEL_AMOUNT_FIELDS):
        return (), refunded
    this = fields.amount(body, currency, "approved_cancel_amount")
    name = first(body, *EVENT_ID_FIELDS, "cancellation_id")
    if this and name is not None:
        reason, at = fields.cancel_reason(body), fields.happened_at(body)
        return (Cancel(id=name, amount=this, reason=reason, cancelled_at=at),), None
    if amount and fields.first_raw(body, "balanceAmount") is not None:
        return (), amount - (fields.amount(body, currency, "balanceAmount") or 0) or None
    return (), None


def _cancels(body: ContractEFields, currency: str) -> tuple[Cancel, ...]:
    name = next(iter(fields.aliases(body)), "")
    cancels = next((part.cancels for part in fields.parts(body) if part.cancels is not None), [])
    return tuple(
        Cancel(
            id=cancel.transactionKey or f"{name}:{number}",
            amount=amount,
            reason=cancel.cancelReason,
            cancelled_at=korean(cancel.canceledAt, "canceledAt"),
        )
        for number, cancel in enumerate(cancels)
        if (amount := fields.units(cancel.cancelAmount, currency, "cancelAmount"))
    )


def _refund(body: ContractEFields, event_type: str) -> Translation:
    currency = currency_code(first(body, "currency"))
    refund_id = first(body, *REFUND_ID_FIELDS, *PAYMENT_ID_FIELDS, "eventId", "aid")
    order, at = fields.order_id(body), fields.happened_at(body)
    given_back = fields.amount(body, currency, *CANCEL_AMOUNT_FIELDS)
    amount = given_back or fields.amount(body, currency, *AMOUNT_FIELDS)
    payload = RefundPayload(
        order_id=order,
        alias=None if order else fields.payment_id(body),
        refund_id=str(refund_id if refund_id is not None else order),
        status="completed" if event_type == "REFUND_COMPLETED" else "rejected",
        amount=amount,
        currency=currency,
        reason=fields.cancel_reason(body) or fields.failure_reason(body),
        refunded_at=at if event_type == "REFUND_COMPLETED" else None,
        aliases=fields.aliases(body),
    )
    return Translation(payload, event_type, at, _event_id(body, event_type, given_back))


def _event_id(body: ContractEFields, event_type: str, part: str | int | None = None) -> str | None:
    """Return the provider's id of the event, or None.

    `imp_uid` is the id of a payment and `aid` of a request, so the type is added; and for refunds the cancellation or
    its amount, or a second partial refund would look like the first. A body without an order is another event than
    the complete one that may follow with the same id: otherwise the second would be a conflict.
    """
    name = _id_with_type(body, event_type, part)
    return name if name is None or fields.order_id(body) else f"{name}:no_order"


def _id_with_type(body: ContractEFields, event_type: str, part: str | int | None) -> str | None:
    if (event_id := first(body, "eventId")) is not None:
        return event_id
    if aid := first(body, "aid"):
        return f"{aid}:{event_type}"
    imp_uid = first(body, "imp_uid")
    if imp_uid is None or event_type in ("PAYMENT_COMPLETED", "PAYMENT_FAILED"):
        return imp_uid and f"{imp_uid}:{event_type}"
    part = first(body, "cancellation_id") or part
    return f"{imp_uid}:{event_type}:{part}" if part else f"{imp_uid}:{event_type}"
