"""Contract E at the gateway: five payment gateways, by header and by path."""

import json
from typing import Any

import pytest

from providers.contract_e import webhook as pg
from simulator import signing
from stream.events import topics
from tests.actors import new_order
from tests.contract.posting import Answer, post, posted_by
from tests.gateways import another_gateway
from tests.log import reading

HEADERS = ("TOSS", "KAKAO", "NAVER", "IAMPORT", "INICIS")
PATHS = [(path, provider) for provider in pg.PROVIDERS for path in provider.paths]
TALKTALK = {"event": "pay_complete", "user": "u", "options": {"paymentResult": {"code": "Success", "paymentId": "p"}}}


def said(**fields: Any) -> dict[str, Any]:
    order = new_order()
    return {"imp_uid": f"imp_{order}", "merchant_uid": order, "status": "paid", "amount": 10000, **fields}


def posted(system: dict[str, str], header: str, body: Any, path: str = "/webhooks/payment", **headers: str) -> Answer:
    return posted_by(pg.provider_by_header(header), system, path, body, **{"X_PG_Provider": header, **headers})


@pytest.mark.parametrize("header", HEADERS)
def test_contract_e_payment_completed_by_header(header: str, system: dict[str, str]) -> None:
    body = said()
    with reading(system, topics.PAYMENT_WEBHOOKS) as records:
        received = posted(system, header, body)
        record = records.wait_for(lambda record: record.payload.order_id == body["merchant_uid"])

    assert received.status == 200
    assert received.body == b'{"status":"RECEIVED","webhookId":"%s"}' % record.envelope.event_id.encode()
    assert (record.envelope.provider, record.envelope.event_type) == (
        pg.provider_by_header(header).name,
        "PAYMENT_COMPLETED",
    )
    assert (record.payload.transaction_id, record.payload.pg_transaction_id) == (body["merchant_uid"], body["imp_uid"])


@pytest.mark.parametrize(("path", "provider"), PATHS, ids=[path for path, _ in PATHS])
def test_contract_e_by_path_the_signature_tells_it(path: str, provider: Any, system: dict[str, str]) -> None:
    received = posted_by(provider, system, path, said())

    assert (received.status, received.json["status"]) == (200, "RECEIVED")


@pytest.mark.parametrize(("status", "kind"), [("refunded", "REFUND_COMPLETED"), ("failed", "REFUND_FAILED")])
def test_contract_e_refund_completed_or_failed(status: str, kind: str, system: dict[str, str]) -> None:
    body = said(status=status, cancel_amount=4000)
    with reading(system, topics.REFUND_WEBHOOKS) as records:
        received = posted(system, "IAMPORT", body, "/webhooks/refund")
        record = records.wait_for(lambda record: record.payload.order_id == body["merchant_uid"])

    assert received.status == 200
    assert (record.envelope.event_type, record.payload.amount) == (kind, 4000)


def test_contract_e_a_duplicate_is_answered_like_the_first_and_a_later_cancel_is_none(system: dict[str, str]) -> None:
    body = said()
    first, again, cancelled = (
        posted(system, "IAMPORT", each) for each in (body, body, body | {"status": "cancelled", "cancel_amount": 10000})
    )

    assert first == again != cancelled


@pytest.mark.parametrize("path", ["/webhooks/payment", "/api/webhooks/kakao", "/api/webhooks/naverpay"])
def test_contract_e_bad_signature_rejected(path: str, system: dict[str, str]) -> None:
    received = posted(system, "KAKAO", said(), path, X_PG_Signature="0" * 64)

    assert received.status == 401
    assert received.json == {"error": "invalid_signature", "message": "웹훅 서명 검증 실패"}


@pytest.mark.parametrize("path", ["/webhooks/payment", "/api/webhooks/naverpay"])
@pytest.mark.parametrize("body", [TALKTALK, {"merchant_uid": "x", "status": "ready"}], ids=["TalkTalk", "ready"])
def test_contract_e_unsupported_type_rejected_and_kept(path: str, body: dict[str, Any], system: dict[str, str]) -> None:
    marked = body | {"mark": new_order()}
    with reading(system, topics.QUARANTINE) as records:
        received = posted(system, "NAVER", marked, path)
        stored = records.wait_for(lambda record: marked["mark"].encode() in record.raw)

    assert received.status == 400
    assert received.json == {"error": "unsupported_type", "message": "지원하지 않는 웹훅 타입입니다"}
    assert (stored.cause, stored.provider) == ("unsupported_type", "naverpay")


def test_contract_e_provider_without_configuration_refused(system: dict[str, str]) -> None:
    body = said()
    headers = {"X-PG-Provider": "PAYCO", "X-PG-Signature": "0" * 64}

    received = post(system["GATEWAY_URL"], "/webhooks/payment", body, headers)

    assert received.status == 400
    assert received.json == {
        "error": "provider_not_configured",
        "message": "API 설정을 찾을 수 없습니다: UNKNOWN",
    }


def test_contract_e_a_provider_that_is_off_is_refused_alike(system: dict[str, str]) -> None:
    secret = {"KAKAOPAY_WEBHOOK_SECRET": system["KAKAOPAY_WEBHOOK_SECRET"], "KAKAOPAY_ACTIVE": "false"}
    body = said()
    headers = {
        "X-PG-Provider": "KAKAO",
        **signing.contract_e(json.dumps(body).encode(), secret["KAKAOPAY_WEBHOOK_SECRET"].encode()),
    }

    with another_gateway(system, **secret) as (shop, *_):
        received = post(shop.url, "/webhooks/payment", json.dumps(body).encode(), headers)

    assert (received.status, received.json["error"]) == (400, "provider_not_configured")


def test_contract_e_needs_its_secret_where_the_providers_own_webhooks_need_none(system: dict[str, str]) -> None:
    body = said()
    with another_gateway(system, TOSS_ACTIVE="true") as (shop, *_):
        unsigned = post(shop.url, "/api/webhooks/toss", {"eventType": "PAYMENT_STATUS_CHANGED", "orderId": "1"}, {})
        as_e = post(shop.url, "/api/webhooks/toss", body, {"X-PG-Signature": "0" * 64})

    assert (unsigned.status, unsigned.body) == (200, b'{"received":true}')
    assert (as_e.status, as_e.json["error"]) == (400, "provider_not_configured")
