"""How each provider's API answers a question about what it was told, in that API's own words. Pure."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from simulator.world.api_state import ProviderRecord

KST = timezone(timedelta(hours=9))
Reply = tuple[int, Any]
"""A status and a JSON body."""


@dataclass(frozen=True, slots=True)
class Api:
    """`of` answers about what is known; `unknown` is what is answered when nothing is."""

    of: Callable[[ProviderRecord], Any]
    unknown: Reply


def names(target: str, body: bytes) -> Iterator[str]:
    """Whatever a request may be asking about: the parts of its path, its parameters, the texts in its JSON or form."""
    url = urlsplit(target)
    yield from (unquote(part) for part in reversed(url.path.split("/")) if part)
    yield from (value for _, value in parse_qsl(url.query))
    try:
        yield from _texts(json.loads(body or b"null"))
    except ValueError:
        yield from (value for _, value in parse_qsl(body.decode("utf-8", "replace")))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _number(amount: str | None) -> int | float | None:
    if amount is None:
        return None
    return int(amount) if amount.isdigit() else float(amount)


def _unix(at: str | None) -> int:
    return int(datetime.fromisoformat(at).timestamp()) if at else 0


def _toss(told: ProviderRecord) -> Any:
    """A Payment object (API version 2022-11-16)."""
    amount, cancelled = _number(told.amount), told.status == "CANCELED"
    cancel = {
        "transactionKey": f"cancel-{told.reference}"[:64],
        "cancelReason": "고객 변심",
        "canceledAt": told.at,
        "cancelAmount": amount,
        "refundableAmount": 0,
        "cancelStatus": "DONE",
    }
    return {
        "mId": "tosspayments",
        "version": "2022-11-16",
        "lastTransactionKey": f"{told.status}-{told.reference}"[:64],
        "paymentKey": told.reference,
        "orderId": told.order_id,
        "orderName": "simulated",
        "status": told.status,
        "requestedAt": told.at,
        "approvedAt": told.at if told.status in ("DONE", "CANCELED", "PARTIAL_CANCELED") else None,
        "useEscrow": False,
        "type": "NORMAL",
        "country": "KR",
        "currency": told.currency,
        "totalAmount": amount,
        "balanceAmount": 0 if cancelled else amount,
        "method": "카드",
        "card": None,
        "virtualAccount": None,
        "cancels": [cancel] if cancelled else None,
        "failure": None,
        "secret": None,
        "metadata": None,
    }


def _portone_v1(told: ProviderRecord) -> Any:
    """An annotated payment, in the envelope every answer of V1 has."""
    amount, at = _number(told.amount), _unix(told.at)
    cancelled = told.status == "cancelled"
    payment: dict[str, Any] = {
        "imp_uid": told.reference,
        "merchant_uid": told.order_id,
        "status": told.status,
        "amount": amount,
        "cancel_amount": amount if cancelled else 0,
        "currency": told.currency,
        "pay_method": "card",
        "pg_provider": "html5_inicis",
        "pg_tid": f"tid-{told.reference}",
        "started_at": at,
        "paid_at": at if told.status in ("paid", "cancelled") else 0,
        "failed_at": at if told.status == "failed" else 0,
        "cancelled_at": at if cancelled else 0,
        "fail_reason": None,
        "cancel_history": [],
    }
    return {"code": 0, "message": None, "response": payment}


def _portone_v2(told: ProviderRecord) -> Any:
    """A payment of V2: its id is the shop's order."""
    amount, cancelled = _number(told.amount), told.status == "CANCELLED"
    return {
        "status": told.status,
        "id": told.order_id,
        "transactionId": told.reference,
        "merchantId": "merchant-simulated",
        "storeId": "store-simulated",
        "method": {"type": "PaymentMethodCard"},
        "channel": {"type": "TEST", "id": "channel-simulated", "pgProvider": "TOSSPAYMENTS"},
        "version": "V2",
        "requestedAt": told.at,
        "updatedAt": told.at,
        "statusChangedAt": told.at,
        "paidAt": told.at,
        "orderName": "simulated",
        "amount": {
            "total": amount,
            "taxFree": 0,
            "discount": 0,
            "paid": 0 if cancelled else amount,
            "cancelled": amount if cancelled else 0,
            "cancelledTaxFree": 0,
        },
        "currency": told.currency,
        "pgTxId": f"pg-{told.reference}",
    }


def _inicis(told: ProviderRecord) -> Any:
    """A transaction with a deposit, as INIAPI's inquiry tells it. Its times are Korea's."""
    at = datetime.fromisoformat(told.at or "2000-01-01T00:00:00Z").astimezone(KST)
    day, clock = f"{at:%Y%m%d}", f"{at:%H%M%S}"
    return {
        "resultCode": "00",
        "resultMsg": "정상처리",
        "tid": told.reference,
        "oid": told.order_id,
        "price": told.amount,
        "paymethod": "VBank",
        "transactionStatus": told.status,
        "approvedDate": day,
        "approvedTime": clock,
        "vacctInfo": {"accountNumber": "12345678901234", "depositDate": day, "depositTime": clock},
    }


def _delivery_tracker(told: ProviderRecord) -> Any:
    """The `track` of a parcel with its last event."""
    event = {
        "time": told.at,
        "status": {"code": told.status, "name": told.status.title()},
        "description": told.status,
        "location": {"name": "서울 강남구"},
    }
    return {"data": {"track": {"trackingNumber": told.reference, "lastEvent": event, "events": {"nodes": [event]}}}}


def _tapayz(told: ProviderRecord) -> Any:
    """A list with the invoice."""
    invoice = {
        "id": told.reference,
        "state": told.status,
        "title": told.title,
        "cashAmount": f"{told.amount}.000000",
        "cryptoAmount": "74.074074",
        "completedAt": told.at,
        "customer": {"id": told.customer_id},
        "cash": {"id": 1, "symbol": "KRW"},
        "crypto": {"id": 1001, "symbol": "USDT"},
    }
    return {"list": [invoice]}


_NO_TRACK = {"data": {"track": None}, "errors": [{"message": "not found", "extensions": {"code": "NOT_FOUND"}}]}
APIS: dict[str, Api] = {
    "toss": Api(_toss, (404, {"code": "NOT_FOUND_PAYMENT", "message": "존재하지 않는 결제 입니다."})),
    "portone_v1": Api(_portone_v1, (404, {"code": 1, "message": "존재하지 않는 결제정보입니다.", "response": None})),
    "portone_v2": Api(_portone_v2, (404, {"type": "PAYMENT_NOT_FOUND", "message": "payment not found"})),
    "inicis": Api(_inicis, (200, {"resultCode": "01", "resultMsg": "거래없음"})),
    "delivery_tracker": Api(_delivery_tracker, (200, _NO_TRACK)),
    "tapayz": Api(_tapayz, (404, {"error": "Invoice not found"})),
}

_NAME = re.compile(r"/([a-z0-9_]+)(/.*)")


def split(target: str) -> tuple[str, str] | None:
    """The provider that a path of ours names, and the path below it."""
    match = _NAME.fullmatch(target)
    return (match[1], match[2]) if match and match[1] in APIS else None
