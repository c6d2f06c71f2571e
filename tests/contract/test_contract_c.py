"""Contract C at the gateway: what Tosspayments' subscription webhooks are answered, and where they go."""

from typing import Any

import pytest

from providers.tosspayments.webhook import PROVIDER
from stream.events import topics
from tests.actors import new_order
from tests.contract.posting import Answer, post, posted_by
from tests.gateways import another_gateway
from tests.log import reading

PATH = "/api/webhooks/tosspayments"
EVENTS = ("payment.confirmed", "payment.failed", "payment.canceled", "billing.scheduled")
UNSUPPORTED = b'{"status":"ignored","reason":"unsupported_event"}'
INVALID = b'{"error":true,"message":"Invalid signature"}'


def said(kind: str = "payment.confirmed", **fields: Any) -> dict[str, Any]:
    order = f"BIZ-{new_order()}-PRO-20260203120000"
    return {"eventType": kind, "orderId": order, "paymentKey": f"pk-{order}", "totalAmount": 29000, **fields}


def posted(system: dict[str, str], body: Any, **headers: str) -> Answer:
    return posted_by(PROVIDER, system, PATH, body, **headers)


@pytest.mark.parametrize("kind", EVENTS)
def test_contract_c_accepted_is_answered_with_its_event(kind: str, system: dict[str, str]) -> None:
    body = said(kind)
    with reading(system, topics.PAYMENT_WEBHOOKS) as records:
        received = posted(system, body)
        record = records.wait_for(lambda record: record.payload.order_id == body["orderId"])

    assert received == (200, b'{"status":"success","event":"%s"}' % kind.encode(), "application/json")
    assert (record.envelope.provider, record.envelope.event_type) == ("tosspayments", kind)
    assert record.envelope.verification == "signature"


def test_contract_c_posted_again_it_is_answered_alike(system: dict[str, str]) -> None:
    body = said()

    assert posted(system, body) == posted(system, body)


@pytest.mark.parametrize("signature", ["", "0" * 64])
def test_contract_c_a_signature_mismatch_or_none_is_401(signature: str, system: dict[str, str]) -> None:
    assert posted(system, said(), X_Tosspayments_Signature=signature) == (401, INVALID, "application/json")
    assert post(system["GATEWAY_URL"], PATH, said(), {}) == (401, INVALID, "application/json")


def test_contract_c_what_is_not_json_is_ignored_and_kept(system: dict[str, str]) -> None:
    body = f"not json {new_order()}".encode()
    with reading(system, topics.QUARANTINE) as records:
        received = posted(system, body)
        stored = records.wait_for(lambda record: record.raw == body)

    assert received == (200, b'{"status":"ignored","reason":"invalid_json"}', "application/json")
    assert (stored.provider, stored.cause) == ("tosspayments", "malformed_body")


@pytest.mark.parametrize(
    "wrong",
    [{"totalAmount": -5}, {"orderId": ["x"]}, {"cancels": "all"}, {"eventType": 7}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_contract_c_a_signed_body_that_cannot_be_read_is_stored_and_answered_as_an_error(
    wrong: dict[str, Any], system: dict[str, str]
) -> None:
    body = said("payment.canceled" if "cancels" in wrong else "payment.confirmed") | wrong
    with reading(system, topics.QUARANTINE) as records:
        received = posted(system, body)
        stored = records.wait_for(lambda record: body["paymentKey"].encode() in record.raw)

    assert (received.status, received.json["status"]) == (200, "error")
    assert received.json.keys() == {"status", "message"}
    assert "stored" in received.json["message"]
    assert (stored.provider, stored.cause, stored.verification) == ("tosspayments", "invalid_field", "signature")


def test_contract_c_an_unknown_event_is_ignored_and_kept(system: dict[str, str]) -> None:
    body = said("payment.something")
    with reading(system, topics.QUARANTINE) as records:
        received = posted(system, body)
        stored = records.wait_for(lambda record: body["orderId"].encode() in record.raw)

    assert received == (200, UNSUPPORTED, "application/json")
    assert (stored.cause, set(stored.headers)) == ("unsupported_type", {"x-tosspayments-signature"})


def test_contract_c_without_a_secret_it_is_ignored_and_kept_aside(system: dict[str, str]) -> None:
    body = said()
    with (
        another_gateway(system, TOSSPAYMENTS_WEBHOOK_SECRET="") as (shop, *_),
        reading(system, topics.UNVERIFIED) as records,
    ):
        received = post(shop.url, PATH, body, {})
        stored = records.wait_for(lambda record: body["orderId"].encode() in record.raw)

    assert received == (
        200,
        b'{"status":"ignored","reason":"webhook_secret_not_configured"}',
        "application/json",
    )
    assert stored.cause == "webhook_secret_not_configured"
