"""Contract C: four events, their answers to the letter, and the names of what is given back."""

import json
from typing import Any

import pytest

from providers.contract import Forged, InvalidField, Malformed, RefusedWebhook, Unsupported
from providers.tosspayments import webhook as tosspayments
from stream.events import BillingPayload, Cancel, Micros, OrderId, PaymentPayload
from tests.unit.providers.api_answers import SECRET, received, translated

PROVIDER = tosspayments.PROVIDER
ORDER = "BIZ-123-PRO-20260203120000"
APPROVED = 1_770_087_615_000_000  # 2026-02-03T12:00:15+09:00
CONFIRMED: dict[str, Any] = {
    "eventType": "payment.confirmed",
    "orderId": ORDER,
    "paymentKey": "pk_1",
    "orderName": "프로 요금제",
    "status": "DONE",
    "totalAmount": 29000,
    "method": "카드",
    "approvedAt": "2026-02-03T12:00:15+09:00",
    "card": {
        "issuerCode": "61",
        "acquirerCode": "31",
        "number": "12345678****123*",
        "installmentPlanMonths": 0,
        "isInterestFree": False,
        "cardType": "신용",
    },
}
FAILED = {
    "eventType": "payment.failed",
    "orderId": ORDER,
    "status": "FAILED",
    "failureCode": "REJECT_CARD_PAYMENT",
    "failureMessage": "한도초과",
}
CANCELED: dict[str, Any] = {
    "eventType": "payment.canceled",
    "paymentKey": "pk_1",
    "orderId": ORDER,
    "status": "CANCELED",
    "cancelReason": "고객 변심",
    "canceledAt": "2026-02-04T12:00:15+09:00",
    "cancels": [{"cancelAmount": 29000, "cancelReason": "고객 변심", "canceledAt": "2026-02-04T12:00:15+09:00"}],
}
SCHEDULED = {"eventType": "billing.scheduled", "orderId": ORDER, "totalAmount": 29000}
DAY = 86_400_000_000


def payment(body: dict[str, Any]) -> PaymentPayload:
    payload = translated(PROVIDER, body).payload
    assert isinstance(payload, PaymentPayload)
    return payload


def nested(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "eventType": body["eventType"],
        "createdAt": None,
        "data": {name: value for name, value in body.items() if name != "eventType"},
    }


def test_contract_c_payment_confirmed_is_read_to_the_last_field() -> None:
    translation = translated(PROVIDER, CONFIRMED)

    assert translation.payload == PaymentPayload(
        order_id=OrderId(ORDER),
        status="completed",
        method="카드",
        transaction_id="pk_1",
        amount=29000,
        paid_at=Micros(APPROVED),
        aliases=("pk_1",),
        user_id="123",
    )
    assert (translation.event_type, translation.occurred_at) == ("payment.confirmed", APPROVED)
    assert translation.provider_event_id == "pk_1:payment.confirmed:"


def test_contract_c_payment_failed_keeps_its_reason() -> None:
    translation = translated(PROVIDER, FAILED)

    assert isinstance(translation.payload, PaymentPayload)
    assert (translation.payload.status, translation.payload.failure_reason, translation.payload.user_id) == (
        "failed",
        "한도초과",
        "123",
    )
    assert (translation.event_type, translation.provider_event_id) == ("payment.failed", None)


def test_contract_c_payment_canceled_gives_back_by_entries() -> None:
    translation = translated(PROVIDER, CANCELED)

    assert isinstance(translation.payload, PaymentPayload)
    assert translation.payload.status == "cancelled"
    assert translation.payload.cancels == (
        Cancel(
            id="pk_1:2026-02-04T12:00:15+09:00:29000",
            amount=29000,
            reason="고객 변심",
            cancelled_at=Micros(APPROVED + DAY),
        ),
    )
    assert translation.occurred_at == APPROVED + DAY


def test_contract_c_cancels_below_the_total_are_a_part() -> None:
    assert payment(CANCELED | {"totalAmount": 58000}).status == "partially_cancelled"
    assert payment(CANCELED | {"totalAmount": 29000}).status == "cancelled"
    assert payment(CANCELED | {"status": "PARTIAL_CANCELED"}).status == "partially_cancelled"


def test_a_cancel_told_again_has_the_same_name_and_each_of_two_alike_its_own() -> None:
    one = CANCELED["cancels"][0]
    first, second = (payment(CANCELED | {"cancels": [one] * count}).cancels for count in (1, 2))

    assert second[0] == first[0]
    assert second[1].id != second[0].id
    assert payment(CANCELED | {"cancels": [one | {"transactionKey": "tx"}]}).cancels[0].id == "tx"


def test_a_second_part_cancel_is_another_event() -> None:
    parts = [{"cancelAmount": 1000, "canceledAt": f"2026-02-0{day}T00:00:00+09:00"} for day in (4, 5)]
    ids = {translated(PROVIDER, CANCELED | {"cancels": parts[:count]}).provider_event_id for count in (1, 2)}

    assert len(ids) == 2


@pytest.mark.parametrize("field", ["nextBillingAt", "nextBillingDate", "scheduledAt", "billingDate"])
def test_contract_c_billing_scheduled_names_its_day(field: str) -> None:
    payload = translated(PROVIDER, SCHEDULED | {field: "2026-03-03"}).payload

    assert payload == BillingPayload(
        order_id=OrderId(ORDER), next_billing_at=Micros(1_772_463_600_000_000), amount=29000
    )


def test_contract_c_billing_scheduled_may_leave_its_day_to_the_plan() -> None:
    payload = translated(PROVIDER, SCHEDULED).payload

    assert isinstance(payload, BillingPayload)
    assert payload.next_billing_at is None


@pytest.mark.parametrize("body", [CONFIRMED, FAILED, CANCELED, SCHEDULED], ids=lambda body: str(body["eventType"]))
def test_flat_and_nested_say_the_same(body: dict[str, Any]) -> None:
    assert translated(PROVIDER, nested(body)) == translated(PROVIDER, body)


@pytest.mark.parametrize("kind", ["payment.failed", "payment.canceled"])
def test_fields_of_failed_and_canceled_bodies_may_be_missing(kind: str) -> None:
    payload = payment({"eventType": kind, "paymentKey": "pk_1"})

    assert (payload.order_id, payload.alias, payload.cancels) == (None, "pk_1", ())


def test_what_names_neither_order_nor_payment_is_unreadable() -> None:
    with pytest.raises(InvalidField, match="neither"):
        translated(PROVIDER, {"eventType": "payment.failed"})


@pytest.mark.parametrize(
    ("order", "user"),
    [
        ("BIZ-123-PRO-20260203120000", "123"),
        ("BIZ-123-PRO-20260203", "123"),
        ("BIZ-u-1-PRO-20260203", "u-1"),
        ("BIZ-123-PRO-2026020312", None),
        ("BIZ-123-20260203", None),
        ("biz-123-PRO-20260203", None),
        ("ORDER-1", None),
    ],
)
def test_the_user_stands_in_the_order_id(order: str, user: str | None) -> None:
    assert payment(CONFIRMED | {"orderId": order}).user_id == user


def test_the_card_is_nowhere_in_what_is_told() -> None:
    assert "12345678" not in str(translated(PROVIDER, CONFIRMED))


def test_contract_c_answers_to_the_letter() -> None:
    refusals = PROVIDER.refusals

    assert (
        PROVIDER.success_response("id", "payment.confirmed").body == b'{"status":"success","event":"payment.confirmed"}'
    )
    assert (
        PROVIDER.success_response("id", "unsupported_type").body == b'{"status":"ignored","reason":"unsupported_event"}'
    )
    assert refusals["invalid_signature"].status == 401
    assert refusals["invalid_signature"].body == b'{"error":true,"message":"Invalid signature"}'
    assert refusals["malformed_body"].status == 200
    assert refusals["malformed_body"].body == b'{"status":"ignored","reason":"invalid_json"}'
    assert PROVIDER.no_secret_response
    assert json.loads(PROVIDER.no_secret_response.body) == {
        "status": "ignored",
        "reason": "webhook_secret_not_configured",
    }


def test_contract_c_an_unknown_event_type_is_unsupported() -> None:
    with pytest.raises(Unsupported):
        translated(PROVIDER, CONFIRMED | {"eventType": "payment.refunded", "orderId": []})


def test_contract_c_what_is_not_json_is_malformed() -> None:
    with pytest.raises(Malformed):
        translated(PROVIDER, b"eventType=payment.confirmed")


@pytest.mark.parametrize("signature", ["", "00", "ÿ", "0" * 64])
def test_contract_c_a_wrong_signature_is_forged(signature: str) -> None:
    with pytest.raises(Forged):
        PROVIDER.verify(received(PROVIDER, CONFIRMED, {tosspayments.SIGNATURE: signature}), [SECRET])


def test_contract_c_the_raw_body_is_proved_by_any_live_secret() -> None:
    assert PROVIDER.verify(received(PROVIDER, CONFIRMED), [b"new", SECRET]) == "signature"


@pytest.mark.parametrize(
    "change",
    [
        {"totalAmount": "29000"},
        {"totalAmount": -1},
        {"cancels": {}},
        {"currency": "WON"},
        {"eventType": None},
    ],
)
def test_a_mistyped_field_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(RefusedWebhook):
        translated(PROVIDER, CONFIRMED | change)


def test_a_cancel_without_its_amount_is_unreadable() -> None:
    with pytest.raises(InvalidField, match="cancelAmount"):
        translated(PROVIDER, CANCELED | {"cancels": [{}]})
