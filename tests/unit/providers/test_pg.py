"""Contract E, row by row: types, ids, names, money, signatures."""

import json
from typing import Any

import pytest

from providers import catalogue
from providers.contract import (
    Forged,
    InvalidField,
    Provider,
    Received,
    RefusedWebhook,
    Translation,
    Unsupported,
    WrongEvent,
)
from providers.contract_e import webhook as pg
from providers.records import event_id_of
from simulator import signing
from stream.events import OrderId, PaymentPayload, RefundPayload, ids
from tests.unit.providers.posted import NOW
from tests.unit.providers.samples import every, sample

SECRET = b"whsec"
IAMPORT = {"imp_uid": "imp_1", "merchant_uid": "TXN_20250827_001", "status": "paid", "amount": 10000}
TOSS = {"eventId": "evt_1", "orderId": "O-1", "paymentKey": "pk_1", "status": "DONE", "totalAmount": 10000}
KAKAO = {
    "aid": "A1",
    "tid": "T1",
    "partner_order_id": "O-1",
    "status": "SUCCESS_PAYMENT",
    "amount": {"total": 2200, "vat": 200},
    "approved_at": "2016-11-15T21:20:48",
}
TYPES = [
    ("paid", "PAYMENT_COMPLETED"),
    ("DONE", "PAYMENT_COMPLETED"),
    ("SUCCESS_PAYMENT", "PAYMENT_COMPLETED"),
    ("failed", "PAYMENT_FAILED"),
    ("ABORTED", "PAYMENT_FAILED"),
    ("FAIL_PAYMENT", "PAYMENT_FAILED"),
    ("cancelled", "PAYMENT_CANCELLED"),
    ("canceled", "PAYMENT_CANCELLED"),
    ("CANCELED", "PAYMENT_CANCELLED"),
    ("CANCEL_PAYMENT", "PAYMENT_CANCELLED"),
    ("refunded", "REFUND_COMPLETED"),
]


def posted(body: Any, *, header: str = "IAMPORT", path: str = "/webhooks/payment", secret: bytes = SECRET) -> Received:
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    signed = {name.lower(): value for name, value in signing.contract_e(raw, secret).items()}
    return Received(path, {pg.PROVIDER_HEADER: header, **signed}, raw, NOW)


def translation_of(body: Any, path: str = "/webhooks/payment") -> Translation:
    received = posted(body, path=path)
    provider, kind = catalogue.find(path, received.headers)
    return provider.translate(received, kind)


def payment(body: Any) -> PaymentPayload:
    payload = translation_of(body).payload
    assert isinstance(payload, PaymentPayload)
    return payload


def refund(body: Any, path: str = "/webhooks/refund") -> RefundPayload:
    payload = translation_of(body, path).payload
    assert isinstance(payload, RefundPayload)
    return payload


@pytest.mark.parametrize(("status", "expected"), TYPES)
def test_contract_e_the_type_follows_from_the_status(status: str, expected: str) -> None:
    assert translation_of(IAMPORT | {"status": status}).event_type == expected


def test_contract_e_a_failure_on_the_refunds_path_is_the_refunds() -> None:
    assert translation_of(IAMPORT | {"status": "failed"}, "/webhooks/refund").event_type == "REFUND_FAILED"
    assert translation_of(IAMPORT | {"status": "failed"}).event_type == "PAYMENT_FAILED"


@pytest.mark.parametrize("status", ["ready", "SEND_TMS", "READY", "", "paid ", None])
def test_contract_e_unsupported_type_rejected(status: str | None) -> None:
    with pytest.raises(Unsupported):
        translation_of(IAMPORT | {"status": status})


def test_contract_e_payment_completed_by_iamport() -> None:
    translation = translation_of(IAMPORT | {"paid_at": 1_700_000_000, "pay_method": "card", "fail_reason": None})

    assert translation.payload == PaymentPayload(
        order_id=OrderId("TXN_20250827_001"),
        status="completed",
        method="card",
        transaction_id="TXN_20250827_001",
        pg_transaction_id="imp_1",
        amount=10000,
        paid_at=NOW,
        aliases=("imp_1",),
    )
    assert translation.occurred_at == NOW


def test_contract_e_payment_completed_by_toss() -> None:
    assert payment(TOSS) == PaymentPayload(
        order_id=OrderId("O-1"), status="completed", transaction_id="pk_1", amount=10000, aliases=("pk_1", "evt_1")
    )


def test_contract_e_payment_completed_by_kakao() -> None:
    payload = payment(KAKAO)

    assert (payload.order_id, payload.transaction_id, payload.aliases) == ("O-1", "T1", ("T1", "A1"))
    assert (payload.amount, payload.paid_at) == (2200, 1_479_212_448_000_000)  # without an offset it is Korean time


@pytest.mark.parametrize("body", [IAMPORT, TOSS, KAKAO], ids=["IAMPORT", "TOSS", "KAKAO"])
def test_contract_e_flat_and_nested_say_the_same(body: dict[str, Any]) -> None:
    assert translation_of({"data": body}) == translation_of(body)
    if "eventId" in body:
        nested = {name: value for name, value in body.items() if name != "eventId"}
        assert translation_of({"eventId": body["eventId"], "data": nested}) == translation_of(body)


@pytest.mark.parametrize(
    "changes",
    [
        *({name: 5} for name in ("amount", "totalAmount", "total_amount")),
        *({"amount": amount} for amount in ({"total": 5}, "5", " 5.0 ", "0.5E1", 5.0, {"total": "5.00"})),
    ],
)
def test_contract_e_an_amount_goes_by_several_names(changes: dict[str, Any]) -> None:
    assert payment({"orderId": 1, "status": "DONE", **changes}).amount == 5


@pytest.mark.parametrize("amount", ["five", "-5", "1.5", -1, 1.5, [5], True, "5,000", {"total": {"total": 5}}])
def test_contract_e_an_amount_is_a_number(amount: Any) -> None:
    with pytest.raises(InvalidField):
        translation_of(IAMPORT | {"amount": amount})


def test_contract_e_payment_failed_has_its_reason() -> None:
    payload = payment(IAMPORT | {"status": "failed", "amount": 0, "fail_reason": "잔액 부족"})

    assert (payload.status, payload.failure_reason, payload.amount) == ("failed", "잔액 부족", None)


def test_contract_e_payment_cancelled_in_whole_and_in_part() -> None:
    whole = payment(IAMPORT | {"status": "cancelled", "cancel_amount": 10000})
    part = payment(IAMPORT | {"status": "cancelled", "cancel_amount": 4000})

    assert (whole.status, whole.refunded_amount) == ("cancelled", 10000)
    assert (part.status, part.refunded_amount, part.amount) == ("partially_cancelled", 4000, 10000)


def test_contract_e_refund_completed() -> None:
    for path in ("/webhooks/refund", "/webhooks/payment", "/api/webhooks/kakao"):
        payload = refund(IAMPORT | {"status": "refunded", "cancel_amount": 4000}, path)
        assert payload == RefundPayload(
            order_id=OrderId("TXN_20250827_001"), refund_id="imp_1", status="completed", amount=4000, aliases=("imp_1",)
        )


def test_contract_e_refund_failed_is_the_same_refund_rejected() -> None:
    failed = refund(IAMPORT | {"status": "failed", "fail_reason": "계좌 오류"})

    assert (failed.refund_id, failed.status, failed.reason) == ("imp_1", "rejected", "계좌 오류")


def test_contract_e_id_from_event_id() -> None:
    assert translation_of(TOSS).provider_event_id == "evt_1"
    assert translation_of(IAMPORT | {"eventId": 7}).provider_event_id == "7"


def test_contract_e_id_from_imp_uid_with_the_status() -> None:
    ids = [
        translation_of(IAMPORT | {"status": status}).provider_event_id
        for status in ("paid", "cancelled", "refunded", "failed")
    ]

    assert len({*ids, translation_of(IAMPORT | {"status": "failed"}, "/webhooks/refund").provider_event_id}) == 5
    assert translation_of(IAMPORT | {"status": "canceled"}).provider_event_id == ids[1]


def test_contract_e_a_second_part_refund_is_no_duplicate_of_the_first() -> None:
    refunds = [IAMPORT | {"status": "refunded", "cancel_amount": amount} for amount in (1000, 2000, 2000)]

    assert len({translation_of(body).provider_event_id for body in refunds}) == 2


def test_contract_e_id_from_aid() -> None:
    assert translation_of(KAKAO).provider_event_id == "A1:PAYMENT_COMPLETED"


def test_contract_e_without_any_id_the_digest_stands_in() -> None:
    assert translation_of({"orderId": 1, "status": "DONE"}).provider_event_id is None


def test_contract_e_without_an_order_the_payments_name_is_the_reference() -> None:
    payload = payment({"imp_uid": "imp_1", "status": "paid"})

    assert (payload.order_id, payload.alias) == (None, "imp_1")
    with pytest.raises(InvalidField, match="neither"):
        translation_of({"status": "paid", "amount": 1})


@pytest.mark.parametrize("name", ["eventId", "imp_uid", "aid", "tid", "paymentKey", "paymentId"])
@pytest.mark.parametrize(
    "status", ["SUCCESS_PAYMENT", "FAIL_PAYMENT", "CANCEL_PAYMENT", "PART_CANCEL_PAYMENT", "refunded"]
)
def test_contract_e_each_name_alone_is_enough_and_waits_for_its_order(name: str, status: str) -> None:
    alone = translation_of({name: "A1", "status": status})
    fuller = translation_of({name: "A1", "status": status, "partner_order_id": "O-1"})

    assert isinstance(alone.payload, PaymentPayload | RefundPayload)
    assert isinstance(fuller.payload, PaymentPayload | RefundPayload)
    assert (alone.payload.order_id, alone.payload.alias) == (None, "A1")
    # The fuller one is no conflict with the one that waits, and names the order it waits for.
    assert (fuller.payload.order_id, fuller.payload.aliases) == ("O-1", ("A1",))
    assert webhook_id(alone) != webhook_id(fuller)


@pytest.mark.parametrize("status", ["PARTIAL_CANCELED", "PART_CANCEL_PAYMENT", "partial_cancelled"])
def test_contract_e_a_part_cancel_is_a_cancel_of_a_part(status: str) -> None:
    translation = translation_of({"aid": "A2", "partner_order_id": "O-1", "status": status})

    assert translation.event_type == "PAYMENT_CANCELLED"
    assert translation.payload == PaymentPayload(
        order_id=OrderId("O-1"), status="partially_cancelled", aliases=("A2",), currency="KRW"
    )


@pytest.mark.parametrize(
    ("changes", "refunded", "cancels"),
    [
        ({"canceled_amount": {"total": 700}, "approved_cancel_amount": {"total": 300}}, 700, ()),
        ({"approved_cancel_amount": {"total": 300}}, None, (("A2", 300),)),
        ({"cancels": [{"cancelAmount": 300, "transactionKey": "tk"}]}, None, (("tk", 300),)),
        ({"totalAmount": 1000, "balanceAmount": 700}, 300, ()),
        ({"totalAmount": 1000, "balanceAmount": 0}, 1000, ()),
        ({"cancel_amount": "300"}, 300, ()),
    ],
)
def test_contract_e_what_was_given_back_goes_by_several_names(
    changes: dict[str, Any], refunded: int | None, cancels: tuple[tuple[str, int], ...]
) -> None:
    payload = payment({"aid": "A2", "orderId": "O-1", "status": "PARTIAL_CANCELED"} | changes)

    assert payload.refunded_amount == refunded
    assert tuple((cancel.id, cancel.amount) for cancel in payload.cancels) == cancels


def test_contract_e_part_cancels_that_tell_no_amount_are_no_conflict_with_the_whole_one() -> None:
    by_status = [translation_of(IAMPORT | {"status": status}) for status in ("PARTIAL_CANCELED", "cancelled")]

    assert len({translation.provider_event_id for translation in by_status}) == 2


def test_contract_e_naverpay_and_inicis_have_names_of_their_own() -> None:
    naver = payment({"paymentId": "P1", "merchantPayKey": "O-1", "status": "DONE", "totalPayAmount": 1000})
    inicis = payment({"P_TID": "T1", "P_OID": "O-1", "status": "paid", "P_AMT": "1000"})

    assert (naver.order_id, naver.amount, naver.transaction_id) == ("O-1", 1000, "P1")
    assert (inicis.order_id, inicis.amount, inicis.transaction_id) == ("O-1", 1000, "T1")


@pytest.mark.parametrize("mark", ["refundId", "refund_id", "cancellation_id"])
def test_contract_e_a_refund_that_failed_is_no_payment_that_failed(mark: str) -> None:
    failed = IAMPORT | {"status": "failed", mark: "R-1"}

    assert translation_of(failed, "/webhooks/refund").event_type == "REFUND_FAILED"
    with pytest.raises(WrongEvent, match=mark):
        translation_of(failed, "/webhooks/payment")


@pytest.mark.parametrize(
    "changes",
    [
        {"approved_at": "2025-11-15T10:30:00"},
        {"approvedAt": "2025-11-15T10:30:00+09:00"},
        {"admissionYmdt": "20251115103000"},
        {"paid_at": 20251115103000},
        {"paid_at": 1763170200},
        {"paid_at": 1763170200000},
    ],
    ids=["Kakao", "Toss", "Naver", "compact number", "IAMPORT", "milliseconds"],
)
def test_contract_e_a_time_is_read_in_each_providers_form(changes: dict[str, Any]) -> None:
    translation = translation_of({"orderId": "O-1", "status": "DONE"} | changes)

    assert translation.occurred_at == 1_763_170_200_000_000


def webhook_id(translation: Translation) -> str:
    return event_id_of("kakaopay", "test", translation, ids.digest(translation.payload))


@pytest.mark.parametrize("header", ["TOSS", "KAKAO", "NAVER", "IAMPORT", "INICIS", "kakao", " NAVER "])
def test_contract_e_the_header_names_the_provider(header: str) -> None:
    received = posted(IAMPORT, header=header)

    provider, kind = catalogue.find("/webhooks/payment", received.headers)

    assert (provider.verify(received, [b"old", SECRET]), kind) == ("signature", "payment")
    assert provider.name == pg.provider_by_header(header).name != "unknown"


def test_contract_e_provider_without_configuration_refused_by_its_words() -> None:
    answer = pg.provider_by_header("PAYCO").refusals["provider_not_configured"]

    assert pg.provider_by_header("PAYCO") is pg.UNKNOWN
    assert json.loads(answer.body) == {
        "error": "provider_not_configured",
        "message": "API 설정을 찾을 수 없습니다: UNKNOWN",
    }


def test_contract_e_kakao_signature_verified() -> None:
    received = posted(KAKAO, header="KAKAO")

    assert pg.provider_by_header("KAKAO").verify(received, [SECRET]) == "signature"
    with pytest.raises(Forged):
        pg.provider_by_header("KAKAO").verify(received, [b"another"])


@pytest.mark.parametrize("provider", pg.PROVIDERS, ids=lambda provider: provider.name)
def test_contract_e_bad_signature_rejected(provider: Provider) -> None:
    for headers in ({}, {pg.SIGNATURE: ""}, {pg.SIGNATURE: "ÿ"}, {pg.SIGNATURE: "0" * 64}):
        with pytest.raises(Forged):
            provider.verify(Received("/webhooks/payment", headers, b"{}", NOW), [SECRET])


@pytest.mark.parametrize("name", every("naverpay"))
def test_talktalk_asks_whether_to_charge_and_is_refused_as_unsupported(name: str) -> None:
    with pytest.raises(Unsupported):
        translation_of(sample("naverpay", name), "/api/webhooks/naverpay")


def test_an_order_as_kakaos_api_tells_it_can_be_read_as_contract_e() -> None:
    payload = payment(sample("kakaopay", "api.order-response.SUCCESS_PAYMENT"))

    assert (payload.order_id, payload.amount, payload.method) == ("partner_order_id", 2200, "MONEY")


@pytest.mark.parametrize(
    "change",
    [
        {"status": 1},
        {"merchant_uid": {"a": 1}},
        {"currency": "WON"},
    ],
)
def test_a_mistyped_field_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(RefusedWebhook):
        translation_of(IAMPORT | change)
