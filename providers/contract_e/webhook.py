"""Contract E: payment gateways named by `X-PG-Provider`, each signing `X-PG-Signature` with its own secret.

KakaoPay and NaverPay document no webhooks of their own, so they always use contract E. NaverPay's TalkTalk chatbot
events ask whether to charge; they have no status of contract E and are refused as unsupported, which stops the charge.
"""

from collections.abc import Iterator, Sequence

import msgspec

from providers.contract import (
    InvalidField,
    Provider,
    Received,
    Translation,
    Unsupported,
    WebhookResponse,
    WrongEvent,
    json_response,
)
from providers.contract_e.objects import AmountTotal, ContractEFields
from providers.parsing import json_body
from providers.parsing.fields import ABSENT
from providers.parsing.money import currency_code, units_of_any
from providers.parsing.timestamps import korean
from providers.signing.hmac_hex import signature, verify_raw
from stream.events import Cancel, PaymentPayload, PaymentStatus, RefundPayload, Verification

PROVIDER_HEADER = "x-pg-provider"
SIGNATURE = "x-pg-signature"
SHARED_PATHS = {"/webhooks/payment": "payment", "/webhooks/refund": "refund"}
"""Contract A's paths, where `X-PG-Provider` selects contract E."""

AMOUNT_FIELDS = ("amount", "totalAmount", "total_amount", "totalPayAmount", "TotPrice", "P_AMT")
CANCEL_AMOUNT_FIELDS = ("cancel_amount", "cancelAmount", "canceled_amount")
"""Fields with the total given back so far. KakaoPay's `approved_cancel_amount` is that of one cancel."""
PAID_AT_FIELDS = ("paid_at", "paidAt", "approvedAt", "approved_at", "admissionYmdt")
ORDER_ID_FIELDS = ("merchant_uid", "orderId", "order_id", "partner_order_id", "merchantPayKey", "MOID", "P_OID")
PAYMENT_ID_FIELDS = ("imp_uid", "paymentKey", "tid", "paymentId", "P_TID")
"""Fields with the provider's id of a payment."""
EVENT_ID_FIELDS = ("aid", "eventId")
"""Fields with the provider's id of a request or event: the alias of a payment that has no other."""
REFUND_ID_FIELDS = ("refundId", "refund_id", "cancellation_id")

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
_total = msgspec.json.Decoder(AmountTotal)


def verify(received: Received, secrets: Sequence[bytes]) -> Verification:
    """Check the signature of the raw body with this provider's live secrets. Raises Forged if none matches."""
    return verify_raw(received, "X-PG-Signature", secrets)


def sign(payload: bytes, secret: bytes, at: int = 0) -> dict[str, str]:  # noqa: ARG001 - the scheme has no time
    """Return the headers that a sender adds to this body."""
    return {"X-PG-Signature": signature(payload, secret)}


def translate(received: Received, kind: str) -> Translation:
    """Translate a webhook of contract E: flat, or with its fields in `data`.

    The event type follows from the status; on `/webhooks/refund` (kind `refund`), the refund failed, not the payment.
    Raises Unsupported for another status, WrongEvent for a failed refund posted to the path of payments.
    """
    body = json_body.read(_fields, received.body)
    status = (_first(body, "status") or "").upper()
    event_type = _TYPES.get(status)
    if event_type is None:
        raise Unsupported("contract E does not have its status")
    if event_type == "PAYMENT_FAILED" and kind == "refund":
        event_type = "REFUND_FAILED"
    if event_type == "PAYMENT_FAILED" and kind == "payment" and (field := _present(body, REFUND_ID_FIELDS)):
        raise WrongEvent(f"a failed payment does not have the field {field}: post refunds to /webhooks/refund")
    if event_type.startswith("REFUND"):
        return _refund(body, event_type)
    return _payment(body, event_type, is_part=status in _PARTIAL_STATUSES)


def provider_by_header(header: str) -> Provider:
    """Return the row for the value of an `X-PG-Provider` header; UNKNOWN for a provider that is not listed."""
    return _BY_HEADER.get(header.strip().upper(), UNKNOWN)


def _payment(body: ContractEFields, event_type: str, *, is_part: bool) -> Translation:
    currency = currency_code(_first(body, "currency"))
    amount = _amount(body, currency, *AMOUNT_FIELDS)
    cancels, refunded = _cancels_or_total(body, currency, amount) if event_type == "PAYMENT_CANCELLED" else ((), None)
    is_part = is_part or bool(amount and refunded and refunded < amount)
    merchant_uid = _first(body, "merchant_uid")
    paid_at = _instant(body, *PAID_AT_FIELDS)
    payload = PaymentPayload(
        order_id=_order(body),
        alias=None if _order(body) else _payment_id(body),
        status="partially_cancelled" if is_part else _STATUSES[event_type],
        method=_first(body, "method", "paymentMethod", "pay_method", "payment_method_type"),
        transaction_id=merchant_uid or _first(body, "paymentKey", "tid", "paymentId", "P_TID"),
        pg_transaction_id=_first(body, "imp_uid"),
        amount=amount,
        currency=currency,
        failure_reason=_reason(body) if event_type == "PAYMENT_FAILED" else None,
        paid_at=paid_at,
        cancels=cancels,
        refunded_amount=refunded,
        aliases=_aliases(body),
    )
    at = paid_at if event_type == "PAYMENT_COMPLETED" else None
    part = cancels[-1].id if cancels else refunded or ("PART" if is_part else None)
    return Translation(payload, event_type, at or _happened_at(body), _event_id(body, event_type, part))


def _cancels_or_total(
    body: ContractEFields, currency: str, amount: int | None
) -> tuple[tuple[Cancel, ...], int | None]:
    """Return the amounts given back: the cancels if the body lists them, else the total so far."""
    if cancels := _cancels(body, currency):
        return cancels, None
    if refunded := _amount(body, currency, *CANCEL_AMOUNT_FIELDS):
        return (), refunded
    this, name = _amount(body, currency, "approved_cancel_amount"), _first(body, *EVENT_ID_FIELDS, "cancellation_id")
    if this and name is not None:
        return (Cancel(id=name, amount=this, reason=_cancel_reason(body), cancelled_at=_happened_at(body)),), None
    if amount and _first_raw(body, "balanceAmount") is not None:
        return (), amount - (_amount(body, currency, "balanceAmount") or 0) or None
    return (), None


def _cancels(body: ContractEFields, currency: str) -> tuple[Cancel, ...]:
    name = next(iter(_aliases(body)), "")
    cancels = next((part.cancels for part in _parts(body) if part.cancels is not None), [])
    return tuple(
        Cancel(
            id=cancel.transactionKey or f"{name}:{number}",
            amount=amount,
            reason=cancel.cancelReason,
            cancelled_at=korean(cancel.canceledAt, "canceledAt"),
        )
        for number, cancel in enumerate(cancels)
        if (amount := _units(cancel.cancelAmount, currency, "cancelAmount"))
    )


def _refund(body: ContractEFields, event_type: str) -> Translation:
    currency = currency_code(_first(body, "currency"))
    refund_id = _first(body, *REFUND_ID_FIELDS, *PAYMENT_ID_FIELDS, "eventId", "aid")
    at = _happened_at(body)
    given_back = _amount(body, currency, *CANCEL_AMOUNT_FIELDS)
    amount = given_back or _amount(body, currency, *AMOUNT_FIELDS)
    payload = RefundPayload(
        order_id=_order(body),
        alias=None if _order(body) else _payment_id(body),
        refund_id=str(refund_id if refund_id is not None else _order(body)),
        status="completed" if event_type == "REFUND_COMPLETED" else "rejected",
        amount=amount,
        currency=currency,
        reason=_cancel_reason(body) or _reason(body),
        refunded_at=at if event_type == "REFUND_COMPLETED" else None,
        aliases=_aliases(body),
    )
    return Translation(payload, event_type, at, _event_id(body, event_type, given_back))


def _event_id(body: ContractEFields, event_type: str, part: str | int | None = None) -> str | None:
    """Return the provider's id of the event, or None.

    `imp_uid` is the id of a payment and `aid` of a request, so the type is added; and for refunds the cancellation or
    its amount, or a second partial refund would look like the first. A body without an order is another event than
    the complete one that may follow with the same id: otherwise the second would be a conflict.
    """
    name = _id_with_type(body, event_type, part)
    return name if name is None or _order(body) else f"{name}:no_order"


def _id_with_type(body: ContractEFields, event_type: str, part: str | int | None) -> str | None:
    if (event_id := _first(body, "eventId")) is not None:
        return event_id
    if aid := _first(body, "aid"):
        return f"{aid}:{event_type}"
    imp_uid = _first(body, "imp_uid")
    if imp_uid is None or event_type in ("PAYMENT_COMPLETED", "PAYMENT_FAILED"):
        return imp_uid and f"{imp_uid}:{event_type}"
    part = _first(body, "cancellation_id") or part
    return f"{imp_uid}:{event_type}:{part}" if part else f"{imp_uid}:{event_type}"


def _order(body: ContractEFields) -> str | None:
    return _first(body, *ORDER_ID_FIELDS)


def _payment_id(body: ContractEFields) -> str:
    """Return the provider's id of a payment without an order. Raises InvalidField if there is none."""
    if aliases := _aliases(body):
        return aliases[0]
    raise InvalidField("the body names neither an order nor a payment")


def _aliases(body: ContractEFields) -> tuple[str, ...]:
    """Return all ids by which another webhook may link this payment to an order, payment ids first."""
    given = (getattr(part, field) for field in (*PAYMENT_ID_FIELDS, *EVENT_ID_FIELDS) for part in _parts(body))
    return tuple(dict.fromkeys(str(name) for name in given if name is not None))


def _cancel_reason(body: ContractEFields) -> str | None:
    return _first(body, "cancel_reason", "cancelReason", "reason")


def _reason(body: ContractEFields) -> str | None:
    failure = next((part.failure for part in _parts(body) if part.failure), None)
    return _first(body, "fail_reason", "failReason", "failureMessage") or (failure.message if failure else None)


def _amount(body: ContractEFields, currency: str, *fields: str) -> int | None:
    return _units(_first_raw(body, *fields) or ABSENT, currency, fields[0])


def _units(raw: msgspec.Raw, currency: str, field: str) -> int | None:
    """Return an amount in minor units from a number, a decimal text or an object with a `total`; None for zero."""
    if bytes(raw).startswith(b"{"):
        raw = json_body.read(_total, bytes(raw)).total
    return units_of_any(raw, currency, field)


def _instant(body: ContractEFields, *fields: str) -> int | None:
    return next((at for field in fields if (at := korean(_first_raw(body, field), field))), None)


def _happened_at(body: ContractEFields) -> int | None:
    return _instant(body, "cancelled_at", "cancelledAt", "canceledAt", "canceled_at", "failed_at", "failedAt") or (
        _instant(body, "createdAt", "timestamp")
    )


def _first(body: ContractEFields, *fields: str) -> str | None:
    """Return the first of these ids or texts that is present. `data` takes precedence over the outer object."""
    values: Iterator[str | None] = (getattr(part, field) for part in _parts(body) for field in fields)
    return next((value for value in values if value is not None), None)


def _first_raw(body: ContractEFields, *fields: str) -> msgspec.Raw | None:
    """Return the first of these amounts or instants that is present, as `_first` does."""
    values: Iterator[msgspec.Raw] = (getattr(part, field) for part in _parts(body) for field in fields)
    return next((value for value in values if bytes(value) not in (b"", b"null", b'""')), None)


def _parts(body: ContractEFields) -> list[ContractEFields]:
    return [part for part in (body.data, body) if part]


def _present(body: ContractEFields, fields: Sequence[str]) -> str | None:
    return next((field for field in fields if _first(body, field) is not None), None)


def _refusals(header: str) -> dict[str, WebhookResponse]:
    """Return contract E's own messages, by cause."""
    return {
        "invalid_signature": json_response(401, {"error": "invalid_signature", "message": "웹훅 서명 검증 실패"}),
        "unsupported_type": json_response(
            400, {"error": "unsupported_type", "message": "지원하지 않는 웹훅 타입입니다"}
        ),
        "provider_not_configured": json_response(
            400, {"error": "provider_not_configured", "message": f"API 설정을 찾을 수 없습니다: {header}"}
        ),
    }


def _received(event_id: str, event_type: str) -> WebhookResponse:  # noqa: ARG001
    return json_response(200, {"status": "RECEIVED", "webhookId": event_id})


def _row(header: str, name: str, *paths: str) -> Provider:
    return Provider(
        name=name,
        paths=dict.fromkeys(paths, "any"),
        secret_setting=f"{name.upper()}_WEBHOOK_SECRET",
        verify=verify,
        translate=translate,
        sign=sign,
        stored_headers=frozenset({PROVIDER_HEADER, SIGNATURE}),
        success_response=_received,
        refusals=_refusals(header),
        authentication=(
            "contract E: `X-PG-Signature`, hex HMAC-SHA256 of the raw body; `X-PG-Provider` names it on contract "
            "A's paths"
        ),
        events="payments and refunds completed, failed, cancelled, by `status`",
    )


_BY_HEADER = {
    "TOSS": _row("TOSS", "toss", "/api/webhooks/toss"),
    "KAKAO": _row("KAKAO", "kakaopay", "/api/webhooks/kakao", "/api/webhooks/kakaopay"),
    "NAVER": _row("NAVER", "naverpay", "/api/webhooks/naver", "/api/webhooks/naverpay"),
    "IAMPORT": _row("IAMPORT", "portone_v1", "/api/webhooks/iamport", "/api/webhooks/portone_v1"),
    "INICIS": _row("INICIS", "inicis", "/api/webhooks/inicis"),
}
PROVIDERS = tuple(_BY_HEADER.values())
UNKNOWN = _row("UNKNOWN", "unknown")
"""The row for a provider that is not listed. It never has a secret, so its webhooks are refused."""
