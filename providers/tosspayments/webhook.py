"""Contract C: subscriptions paid through Tosspayments, told by a sender that signs, each event with what happened."""

import hmac
import re
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from providers.contract import (
    Forged,
    InvalidField,
    Provider,
    Received,
    Translation,
    Unsupported,
    WebhookResponse,
    json_response,
)
from providers.parsing import json_body
from providers.parsing.fields import ABSENT, Id, Instant, OrderId, StrictOptional, Text
from providers.parsing.money import currency_code, minor_units, minor_units_or_none
from providers.parsing.timestamps import korean, raw_text
from providers.signing.hmac_hex import is_valid_signature
from stream.events import BillingNotice, Cancel, PaymentNotice, PaymentStatus, Verification

SIGNATURE = "x-tosspayments-signature"
BUSINESS_ORDER = re.compile(r"BIZ-(?P<user>.+)-[A-Za-z0-9_]+-(?:\d{8}|\d{14})", re.ASCII)
"""`BIZ-{user}-{PLAN}-{ordered at}`; any other order is a payment without a plan."""


class SubscriptionCancel(msgspec.Struct):
    cancelAmount: msgspec.Raw = ABSENT
    cancelReason: Text | None = None
    canceledAt: Instant = ABSENT
    transactionKey: Id | None = None


class SubscriptionFailure(msgspec.Struct):
    code: Text | None = None
    message: Text | None = None


class SubscriptionEventHead(msgspec.Struct):
    eventType: Text


class SubscriptionFields(msgspec.Struct):
    """The fields of all four events, flat or in `data`; never the card."""

    data: "SubscriptionFields | None" = None
    orderId: StrictOptional[OrderId] = None
    paymentKey: Id | None = None
    billingKey: Id | None = None
    customerKey: Id | None = None
    lastTransactionKey: Id | None = None
    status: Text | None = None
    totalAmount: msgspec.Raw = ABSENT
    amount: msgspec.Raw = ABSENT
    currency: StrictOptional[Text] = None
    method: Text | None = None
    approvedAt: Instant = ABSENT
    failureCode: Text | None = None
    failureMessage: Text | None = None
    failure: SubscriptionFailure | None = None
    cancelReason: Text | None = None
    canceledAt: Instant = ABSENT
    cancels: StrictOptional[list[SubscriptionCancel]] = None
    nextBillingAt: Instant = ABSENT
    nextBillingDate: Instant = ABSENT
    scheduledAt: Instant = ABSENT
    billingDate: Instant = ABSENT
    createdAt: Instant = ABSENT


_head = msgspec.json.Decoder(SubscriptionEventHead)
_said = msgspec.json.Decoder(SubscriptionFields)


def verify(received: Received, secrets: Sequence[bytes]) -> Verification:
    """Prove the raw body by any live secret."""
    given = received.headers.get(SIGNATURE, "").lower().encode("latin-1")
    if not is_valid_signature(received.body, given, secrets):
        raise Forged("X-Tosspayments-Signature is not the HMAC-SHA256 of this body")
    return "signature"


def sign(payload: bytes, secret: bytes, at: int = 0) -> dict[str, str]:  # noqa: ARG001 - the scheme has no time
    """The headers the sender adds to this body."""
    return {"X-Tosspayments-Signature": hmac.digest(secret, payload, "sha256").hex()}


def translate(received: Received, kind: str) -> Translation:  # noqa: ARG001 - one path
    """Read a verified webhook of contract C."""
    event_type = json_body.read(_head, received.body).eventType
    if event_type not in _TRANSLATORS:
        raise Unsupported("its eventType is none of contract C's")
    outer = json_body.read(_said, received.body)
    said = outer.data or outer
    return _TRANSLATORS[event_type](said, event_type, korean(outer.createdAt, "createdAt"))


def _confirmed(said: SubscriptionFields, event_type: str, sent_at: int | None) -> Translation:
    paid_at = korean(said.approvedAt, "approvedAt")
    notice = _payment(said, "completed", paid_at=paid_at)
    return Translation(notice, event_type, paid_at or sent_at, _event_id(said, event_type))


def _failed(said: SubscriptionFields, event_type: str, sent_at: int | None) -> Translation:
    failure = said.failure or SubscriptionFailure()
    reason = said.failureMessage or failure.message or said.failureCode or failure.code
    notice = _payment(said, "failed", failure_reason=reason)
    return Translation(notice, event_type, sent_at, _event_id(said, event_type))


def _canceled(said: SubscriptionFields, event_type: str, sent_at: int | None) -> Translation:
    cancels = _cancels(said)
    total = minor_units_or_none(said.totalAmount, currency_code(said.currency), "totalAmount")
    given_back = sum(cancel.amount for cancel in cancels)
    is_part = said.status == "PARTIAL_CANCELED" or bool(total and given_back and given_back < total)
    notice = _payment(
        said,
        "partially_cancelled" if is_part else "cancelled",
        cancels=cancels,
        paid_at=korean(said.approvedAt, "approvedAt"),
    )
    times = [cancel.cancelled_at for cancel in cancels if cancel.cancelled_at]
    at = max(times, default=None) or korean(said.canceledAt, "canceledAt") or sent_at
    last = cancels[-1].id if cancels else raw_text(said.canceledAt)
    return Translation(notice, event_type, at, _event_id(said, event_type, last))


def _scheduled(said: SubscriptionFields, event_type: str, sent_at: int | None) -> Translation:
    order, reference = _names(said)
    currency = currency_code(said.currency)
    notice = BillingNotice(
        order_id=order,
        reference=reference,
        next_billing_at=_next_billing_at(said),
        amount=_amount(said, currency),
        currency=currency,
    )
    return Translation(notice, event_type, sent_at)


_TRANSLATORS: dict[str, Callable[[SubscriptionFields, str, int | None], Translation]] = {
    "payment.confirmed": _confirmed,
    "payment.failed": _failed,
    "payment.canceled": _canceled,
    "billing.scheduled": _scheduled,
}


def _payment(
    said: SubscriptionFields,
    status: PaymentStatus,
    *,
    paid_at: int | None = None,
    failure_reason: str | None = None,
    cancels: tuple[Cancel, ...] = (),
) -> PaymentNotice:
    order, reference = _names(said)
    currency = currency_code(said.currency)
    business = BUSINESS_ORDER.fullmatch(order or "")
    return PaymentNotice(
        order_id=order,
        reference=reference,
        status=status,
        method=said.method or None,
        transaction_id=said.paymentKey,
        amount=_amount(said, currency),
        currency=currency,
        failure_reason=failure_reason,
        paid_at=paid_at,
        cancels=cancels,
        references=(said.paymentKey,) if said.paymentKey else (),
        user_id=business["user"] if business else None,
    )


def _names(said: SubscriptionFields) -> tuple[str | None, str | None]:
    """The order, or where it is left out what Tosspayments calls the payment or its card."""
    if said.orderId is not None:
        return str(said.orderId), None
    reference = said.paymentKey or said.billingKey or said.customerKey
    if reference is None:
        raise InvalidField("the body names neither an order nor a payment")
    return None, reference


def _amount(said: SubscriptionFields, currency: str) -> int | None:
    return minor_units_or_none(said.totalAmount, currency, "totalAmount") or minor_units_or_none(said.amount, currency)


def _cancels(said: SubscriptionFields) -> tuple[Cancel, ...]:
    """What was given back, each under its transaction's key, else under a name made of what is told of it.

    Each webhook tells all cancels so far, so that one told again has the same name; two alike are counted.
    """
    seen: Counter[str] = Counter()
    cancels = []
    for cancel in said.cancels or ():
        amount = minor_units(cancel.cancelAmount, currency_code(said.currency), "cancelAmount")
        if amount is None:
            raise InvalidField("cancelAmount is missing")
        name = f"{said.paymentKey or said.orderId}:{raw_text(cancel.canceledAt)}:{amount}"
        seen[name] += 1
        cancels.append(
            Cancel(
                id=cancel.transactionKey or (name if seen[name] == 1 else f"{name}:{seen[name]}"),
                amount=amount,
                reason=cancel.cancelReason or said.cancelReason,
                cancelled_at=korean(cancel.canceledAt, "canceledAt"),
            )
        )
    return tuple(cancels)


def _next_billing_at(said: SubscriptionFields) -> int | None:
    """A day alone is its first moment in Korea."""
    for field in ("nextBillingAt", "nextBillingDate", "scheduledAt", "billingDate"):
        if at := korean(getattr(said, field), field):
            return at
    return None


def _event_id(said: SubscriptionFields, event_type: str, part: str | None = None) -> str | None:
    """Payment, event and transaction, where the payment is named; a later part cancel is another event."""
    last = said.lastTransactionKey or part or ""
    return f"{said.paymentKey}:{event_type}:{last}" if said.paymentKey else None


def _answer(event_id: str, event_type: str) -> WebhookResponse:  # noqa: ARG001
    if event_type in _TRANSLATORS:
        return json_response(200, {"status": "success", "event": event_type})
    reason = "unsupported_event" if event_type == "unsupported_type" else event_type
    return json_response(200, {"status": "ignored", "reason": reason})


def _unreadable(message: str) -> WebhookResponse:
    return json_response(200, {"status": "error", "message": f"{message}; the webhook is stored, do not send it again"})


PROVIDER = Provider(
    name="tosspayments",
    paths={"/api/webhooks/tosspayments": "subscription"},
    secret_setting="TOSSPAYMENTS_WEBHOOK_SECRET",  # noqa: S106 - the name of the setting
    verify=verify,
    translate=translate,
    sign=sign,
    kept_headers=frozenset({SIGNATURE}),
    answer=_answer,
    refusals={
        "invalid_signature": json_response(401, {"error": True, "message": "Invalid signature"}),
        "malformed_body": json_response(200, {"status": "ignored", "reason": "invalid_json"}),
    },
    unreadable=_unreadable,
    spooled=json_response(200, {"status": "error", "message": "stored, and processed later; do not send it again"}),
    without_secret=json_response(200, {"status": "ignored", "reason": "webhook_secret_not_configured"}),
    proof="`X-Tosspayments-Signature`: hex HMAC-SHA256 of the raw body",
    events="`payment.confirmed`, `payment.failed`, `payment.canceled`, `billing.scheduled`; others are kept aside",
)
