"""`tosspayments`: translates contract C's events of payments and billing, not Toss Payments' own webhooks (`toss`)."""

import re
from collections import Counter
from collections.abc import Callable

import msgspec

from providers.contract import InvalidField, Received, Translation, Unsupported
from providers.parsing import json_body
from providers.parsing.money import currency_code, minor_units, minor_units_or_none
from providers.parsing.timestamps import korean, raw_text
from providers.tosspayments.objects import SubscriptionEventHead, SubscriptionFailure, SubscriptionFields
from stream.events import BillingPayload, Cancel, Micros, OrderId, PaymentPayload, PaymentStatus

BUSINESS_ORDER = re.compile(r"BIZ-(?P<user>.+)-[A-Za-z0-9_]+-(?:\d{8}|\d{14})", re.ASCII)
"""Matches the id of an order of a plan, `BIZ-{user}-{PLAN}-{ordered at}`; other payments have no plan."""
_head = msgspec.json.Decoder(SubscriptionEventHead)
_fields = msgspec.json.Decoder(SubscriptionFields)


def translate(received: Received, _kind: str) -> Translation:
    """Translate a webhook of contract C.

    Raises Unsupported for any other `eventType`, Malformed or InvalidField for a body that cannot be read or names
    neither an order nor a payment.
    """
    event_type = json_body.read(_head, received.body).eventType
    if event_type not in _TRANSLATORS:
        raise Unsupported("contract C does not have the eventType of the body")
    outer = json_body.read(_fields, received.body)
    body = outer.data or outer
    return _TRANSLATORS[event_type](body, event_type, korean(outer.createdAt, "createdAt"))


def _confirmed(body: SubscriptionFields, event_type: str, sent_at: Micros | None) -> Translation:
    paid_at = korean(body.approvedAt, "approvedAt")
    payload = _payment(body, "completed", paid_at=paid_at)
    return Translation(payload, event_type, paid_at or sent_at, _event_id(body, event_type))


def _failed(body: SubscriptionFields, event_type: str, sent_at: Micros | None) -> Translation:
    failure = body.failure or SubscriptionFailure()
    reason = body.failureMessage or failure.message or body.failureCode or failure.code
    payload = _payment(body, "failed", failure_reason=reason)
    return Translation(payload, event_type, sent_at, _event_id(body, event_type))


def _canceled(body: SubscriptionFields, event_type: str, sent_at: Micros | None) -> Translation:
    cancels = _cancels(body)
    total = minor_units_or_none(body.totalAmount, currency_code(body.currency), "totalAmount")
    given_back = sum(cancel.amount for cancel in cancels)
    is_part = body.status == "PARTIAL_CANCELED" or bool(total and given_back and given_back < total)
    payload = _payment(
        body,
        "partially_cancelled" if is_part else "cancelled",
        cancels=cancels,
        paid_at=korean(body.approvedAt, "approvedAt"),
    )
    times = [cancel.cancelled_at for cancel in cancels if cancel.cancelled_at]
    at = max(times, default=None) or korean(body.canceledAt, "canceledAt") or sent_at
    last = cancels[-1].id if cancels else raw_text(body.canceledAt)
    return Translation(payload, event_type, at, _event_id(body, event_type, last))


def _scheduled(body: SubscriptionFields, event_type: str, sent_at: Micros | None) -> Translation:
    order, alias = _order_or_alias(body)
    currency = currency_code(body.currency)
    payload = BillingPayload(
        order_id=order,
        alias=alias,
        next_billing_at=_next_billing_at(body),
        amount=_amount(body, currency),
        currency=currency,
    )
    return Translation(payload, event_type, sent_at)


def _payment(
    body: SubscriptionFields,
    status: PaymentStatus,
    *,
    paid_at: Micros | None = None,
    failure_reason: str | None = None,
    cancels: tuple[Cancel, ...] = (),
) -> PaymentPayload:
    order, alias = _order_or_alias(body)
    currency = currency_code(body.currency)
    business = BUSINESS_ORDER.fullmatch(order or "")
    return PaymentPayload(
        order_id=order,
        alias=alias,
        status=status,
        method=body.method or None,
        transaction_id=body.paymentKey,
        amount=_amount(body, currency),
        currency=currency,
        failure_reason=failure_reason,
        paid_at=paid_at,
        cancels=cancels,
        aliases=(body.paymentKey,) if body.paymentKey else (),
        user_id=business["user"] if business else None,
    )


def _order_or_alias(body: SubscriptionFields) -> tuple[OrderId | None, str | None]:
    """Return the order, or else the payment's or card's key at Tosspayments. Raises InvalidField without either."""
    if body.orderId is not None:
        return body.orderId, None
    alias = body.paymentKey or body.billingKey or body.customerKey
    if alias is None:
        raise InvalidField("the body names neither an order nor a payment")
    return None, alias


def _amount(body: SubscriptionFields, currency: str) -> int | None:
    return minor_units_or_none(body.totalAmount, currency, "totalAmount") or minor_units_or_none(body.amount, currency)


def _cancels(body: SubscriptionFields) -> tuple[Cancel, ...]:
    """Return the cancels. The id is the transaction key, else it is made of payment, time and amount.

    Each webhook lists all cancels so far, so a repeated cancel needs the same id; equal cancels are numbered.
    Raises InvalidField for a cancel without amount.
    """
    seen: Counter[str] = Counter()
    cancels = []
    for cancel in body.cancels or ():
        amount = minor_units(cancel.cancelAmount, currency_code(body.currency), "cancelAmount")
        if amount is None:
            raise InvalidField("cancelAmount is missing")
        name = f"{body.paymentKey or body.orderId}:{raw_text(cancel.canceledAt)}:{amount}"
        seen[name] += 1
        cancels.append(
            Cancel(
                id=cancel.transactionKey or (name if seen[name] == 1 else f"{name}:{seen[name]}"),
                amount=amount,
                reason=cancel.cancelReason or body.cancelReason,
                cancelled_at=korean(cancel.canceledAt, "canceledAt"),
            )
        )
    return tuple(cancels)


def _next_billing_at(body: SubscriptionFields) -> Micros | None:
    """Return the time in microseconds, None without one; a date without time means midnight in Korea."""
    for field in ("nextBillingAt", "nextBillingDate", "scheduledAt", "billingDate"):
        if at := korean(getattr(body, field), field):
            return at
    return None


def _event_id(body: SubscriptionFields, event_type: str, part: str | None = None) -> str | None:
    """Return an id made of payment, event and last transaction, so that partial cancels differ; None without a key."""
    last = body.lastTransactionKey or part or ""
    return f"{body.paymentKey}:{event_type}:{last}" if body.paymentKey else None


_TRANSLATORS: dict[str, Callable[[SubscriptionFields, str, Micros | None], Translation]] = {
    "payment.confirmed": _confirmed,
    "payment.failed": _failed,
    "payment.canceled": _canceled,
    "billing.scheduled": _scheduled,
}
EVENT_TYPES = frozenset(_TRANSLATORS)
