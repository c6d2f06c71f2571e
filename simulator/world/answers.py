"""Builds the response of each provider's API from a ProviderRecord, in that API's own format. Pure."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qsl, unquote, urlsplit

from simulator.world.api_state import ProviderRecord

KST = timezone(timedelta(hours=9))
Reply = tuple[int, object]
"""HTTP status and JSON body."""


@dataclass(frozen=True, slots=True)
class Api:
    """The responses of an API: `of` returns the body for a known record, `unknown` is the response without one."""

    of: Callable[[ProviderRecord], object]
    unknown: Reply


def names(target: str, body: bytes) -> Iterator[str]:
    """Yield every text of a request that may be an id: path segments, parameters, texts in its JSON or form."""
    url = urlsplit(target)
    yield from (unquote(part) for part in reversed(url.path.split("/")) if part)
    yield from (value for _, value in parse_qsl(url.query))
    try:
        yield from _texts(json.loads(body or b"null"))
    except ValueError:
        yield from (value for _, value in parse_qsl(body.decode("utf-8", "replace")))


def _texts(value: object) -> Iterator[str]:
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


def _toss(record: ProviderRecord) -> object:
    """Return a Payment object (API version 2022-11-16)."""
    amount, cancelled = _number(record.amount), record.status == "CANCELED"
    cancel = {
        "transactionKey": f"cancel-{record.alias}"[:64],
        "cancelReason": "고객 변심",
        "canceledAt": record.at,
        "cancelAmount": amount,
        "refundableAmount": 0,
        "cancelStatus": "DONE",
    }
    return {
        "mId": "tosspayments",
        "version": "2022-11-16",
        "lastTransactionKey": f"{record.status}-{record.alias}"[:64],
        "paymentKey": record.alias,
        "orderId": record.order_id,
        "orderName": "simulated",
        "status": record.status,
        "requestedAt": record.at,
        "approvedAt": record.at if record.status in ("DONE", "CANCELED", "PARTIAL_CANCELED") else None,
        "useEscrow": False,
        "type": "NORMAL",
        "country": "KR",
        "currency": record.currency,
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


def _portone_v1(record: ProviderRecord) -> object:
    """Return an annotated payment in the envelope of all V1 responses."""
    amount, at = _number(record.amount), _unix(record.at)
    cancelled = record.status == "cancelled"
    payment: dict[str, object] = {
        "imp_uid": record.alias,
        "merchant_uid": record.order_id,
        "status": record.status,
        "amount": amount,
        "cancel_amount": amount if cancelled else 0,
        "currency": record.currency,
        "pay_method": "card",
        "pg_provider": "html5_inicis",
        "pg_tid": f"tid-{record.alias}",
        "started_at": at,
        "paid_at": at if record.status in ("paid", "cancelled") else 0,
        "failed_at": at if record.status == "failed" else 0,
        "cancelled_at": at if cancelled else 0,
        "fail_reason": None,
        "cancel_history": [],
    }
    return {"code": 0, "message": None, "response": payment}


def _portone_v2(record: ProviderRecord) -> object:
    """Return a V2 payment. Its id is the shop's order id."""
    amount, cancelled = _number(record.amount), record.status == "CANCELLED"
    return {
        "status": record.status,
        "id": record.order_id,
        "transactionId": record.alias,
        "merchantId": "merchant-simulated",
        "storeId": "store-simulated",
        "method": {"type": "PaymentMethodCard"},
        "channel": {"type": "TEST", "id": "channel-simulated", "pgProvider": "TOSSPAYMENTS"},
        "version": "V2",
        "requestedAt": record.at,
        "updatedAt": record.at,
        "statusChangedAt": record.at,
        "paidAt": record.at,
        "orderName": "simulated",
        "amount": {
            "total": amount,
            "taxFree": 0,
            "discount": 0,
            "paid": 0 if cancelled else amount,
            "cancelled": amount if cancelled else 0,
            "cancelledTaxFree": 0,
        },
        "currency": record.currency,
        "pgTxId": f"pg-{record.alias}",
    }


def _inicis(record: ProviderRecord) -> object:
    """Return a transaction with a deposit, as INIAPI's inquiry does. Times are in KST."""
    at = datetime.fromisoformat(record.at or "2000-01-01T00:00:00Z").astimezone(KST)
    day, clock = f"{at:%Y%m%d}", f"{at:%H%M%S}"
    return {
        "resultCode": "00",
        "resultMsg": "정상처리",
        "tid": record.alias,
        "oid": record.order_id,
        "price": record.amount,
        "paymethod": "VBank",
        "transactionStatus": record.status,
        "approvedDate": day,
        "approvedTime": clock,
        "vacctInfo": {"accountNumber": "12345678901234", "depositDate": day, "depositTime": clock},
    }


def _delivery_tracker(record: ProviderRecord) -> object:
    """Return the `track` of a parcel with its last event."""
    event = {
        "time": record.at,
        "status": {"code": record.status, "name": record.status.title()},
        "description": record.status,
        "location": {"name": "서울 강남구"},
    }
    return {"data": {"track": {"trackingNumber": record.alias, "lastEvent": event, "events": {"nodes": [event]}}}}


def _tapayz(record: ProviderRecord) -> object:
    """Return a list with the invoice."""
    invoice = {
        "id": record.alias,
        "state": record.status,
        "title": record.title,
        "cashAmount": f"{record.amount}.000000",
        "cryptoAmount": "74.074074",
        "completedAt": record.at,
        "customer": {"id": record.customer_id},
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
    """Split a request target into the provider that its first path segment names, and the rest, query included.

    Return None if no API has that name, or nothing follows it.
    """
    match = _NAME.fullmatch(target)
    return (match[1], match[2]) if match and match[1] in APIS else None
