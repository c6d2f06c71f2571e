"""KG Inicis: payloads in Korean bytes, from PC and mobile, and what INIAPI makes of them."""

import json
from hashlib import sha512
from typing import Any

import pytest

from providers.contract import Contradicted, InvalidField, Malformed, NotKnownYet, RefusedWebhook, Unsupported
from providers.inicis import api
from providers.inicis import webhook as inicis
from providers.responses import WebhookResponse
from stream.events import Micros, OrderId, PaymentPayload, VerificationRequest
from tests.unit.providers.api_answers import answered, payment, received, translated, verification_request
from tests.unit.providers.samples import every, sample

PROVIDER = inicis.PROVIDER
ASKED_AT = "20231115071320"  # posted.NOW, in Korea
PAID_AT = 1_700_000_000_000_000
PC = {
    "no_tid": "StdpayVBNKINIpayTest2023",
    "no_oid": "O-1",
    "type_msg": "0200",
    "no_vacct": "56211105948400",
    "amt_input": "000000010000",
    "nm_input": "홍길동",
    "no_transeq": "7",
}
MOBILE = {"P_TID": "INIMX_VBNK1", "P_OID": "O-1", "P_STATUS": "02", "P_TYPE": "VBANK", "P_AMT": "10000", "P_FN_CD2": ""}
ANSWER = {
    "resultCode": "SUCCESS",
    "tid": PC["no_tid"],
    "oid": "O-1",
    "price": "10000",
    "paymethod": "VBank",
    "transactionStatus": "APPROVAL",
    "approvedDate": "20231115",
    "approvedTime": "060000",
    "buyerName": "홍길동",
    "vacctInfo": {"accountNumber": "56211105948400", "depositDate": "20231115", "depositTime": "071320"},
}


def form(fields: dict[str, str], encoding: str = "cp949") -> bytes:
    """The parameters with every octet beyond letters and digits escaped."""

    def escaped(text: str) -> bytes:
        return b"".join(
            bytes([octet]) if chr(octet).isalnum() and octet < 128 else b"%%%02X" % octet
            for octet in text.encode(encoding)
        )

    return b"&".join(escaped(name) + b"=" + escaped(value) for name, value in fields.items())


def test_a_deposit_told_by_pc_is_a_verification_request() -> None:
    translation = translated(PROVIDER, form(PC))

    assert translation.event_type == "type_msg.0200"
    assert translation.payload == VerificationRequest(
        subject="transaction",
        alias="StdpayVBNKINIpayTest2023",
        order_id=OrderId("O-1"),
        claims={"status": "deposited", "amount": "10000", "account": "56211105948400", "asked_at": ASKED_AT},
    )


def test_a_deposit_told_by_mobile_is_a_verification_request() -> None:
    translation = verification_request(PROVIDER, form(MOBILE))

    assert (translation.alias, translation.order_id) == ("INIMX_VBNK1", "O-1")
    assert translation.claims == {"status": "deposited", "amount": "10000", "asked_at": ASKED_AT}


@pytest.mark.parametrize("encoding", ["cp949", "utf-8"])
def test_korean_bytes_of_either_kind_are_read(encoding: str) -> None:
    assert verification_request(PROVIDER, form(PC, encoding)).order_id == "O-1"


def test_a_declared_encoding_is_tried_first() -> None:
    body = form(PC | {"no_oid": "주문1"}, "utf-8")

    translation = verification_request(
        PROVIDER, body, {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}
    )

    assert translation.order_id == "주문1"


def test_json_says_the_same_as_a_form() -> None:
    assert verification_request(PROVIDER, PC) == verification_request(PROVIDER, form(PC))
    assert verification_request(PROVIDER, PC | {"amt_input": 10000, "nm_input": None}) == verification_request(
        PROVIDER, form(PC)
    )


@pytest.mark.parametrize(
    "fields",
    [
        MOBILE | {"P_STATUS": "00"},
        MOBILE | {"P_STATUS": "01"},
        MOBILE | {"P_STATUS": "99"},
        PC | {"type_msg": "0300"},
        {"x": "1"},
        {name: value for name, value in PC.items() if name != "type_msg"},
    ],
)
def test_what_tells_of_no_money_is_unsupported_and_answered_ok(fields: dict[str, str]) -> None:
    with pytest.raises(Unsupported):
        translated(PROVIDER, form(fields))
    assert "unsupported_type" not in PROVIDER.refusals
    assert PROVIDER.success_response("id", "unsupported_type") == WebhookResponse(200, b"OK", b"text/plain")


def test_a_card_paid_by_mobile_is_a_verification_request() -> None:
    assert (
        verification_request(PROVIDER, form(MOBILE | {"P_STATUS": "00", "P_TYPE": "CARD"})).claims["status"] == "paid"
    )


@pytest.mark.parametrize("name", every("inicis"))
def test_the_templates_of_the_documentation_are_refused_or_unsupported(name: str) -> None:
    with pytest.raises(RefusedWebhook):
        translated(PROVIDER, sample("inicis", name))
    with pytest.raises(RefusedWebhook):
        translated(PROVIDER, form(json.loads(sample("inicis", name))))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"&",
        b"no_tid",
        b"no_tid=%",
        b"no_tid=%GG",
        b"no_tid=a b",
        b"=1",
        b"no_tid=1\n",
        form(PC) + b"&no_oid=O-2",
        form(PC | {"amt_input": "1,000"}),
        form(PC | {"amt_input": "-5"}),
        form(PC | {"amt_input": "\uff11\uff10"}),
        form(PC | {"no_tid": ""}),
        form(PC | {"no_tid": "a\nb"}),
        form(PC | {"no_vacct": "<b>"}),
        b"[]",
        b'{"no_tid":1.5}',
        b'{"no_tid":[1]}',
        b'{"no_tid":true}',
    ],
)
def test_what_cannot_be_read_in_one_way_only_is_refused(body: bytes) -> None:
    with pytest.raises(RefusedWebhook):
        translated(PROVIDER, body)


def test_a_refusal_is_fail_with_its_status() -> None:
    assert {(answer.body, answer.content_type) for answer in PROVIDER.refusals.values()} == {(b"FAIL", b"text/plain")}
    assert (PROVIDER.refusals["invalid_field"].status, PROVIDER.refusals["unavailable"].status) == (400, 503)


def test_a_transaction_is_asked_for_with_the_hash_of_what_is_asked() -> None:
    ask = api.build_request(verification_request(PROVIDER, form(PC)), "INIpayTest:key:10.0.0.1")

    data = '{"tid":"StdpayVBNKINIpayTest2023"}'
    assert (ask.method, ask.path) == ("POST", "/v2/pg/inquiry")
    assert json.loads(ask.body) == {
        "mid": "INIpayTest",
        "type": "inquiry",
        "timestamp": ASKED_AT,
        "clientIp": "10.0.0.1",
        "data": json.loads(data),
        "hashData": sha512(f"keyINIpayTestinquiry{ASKED_AT}{data}".encode()).hexdigest(),
    }


@pytest.mark.parametrize("key", ["", "mid", "mid:", "mid:key", ":::"])
def test_any_key_makes_a_request(key: str) -> None:
    assert json.loads(api.build_request(verification_request(PROVIDER, form(PC)), key).body)["type"] == "inquiry"


def test_a_deposit_is_read_to_the_last_field() -> None:
    translation = answered(PROVIDER, form(PC), ANSWER)

    assert translation.payload == PaymentPayload(
        order_id=OrderId("O-1"),
        status="completed",
        method="VBank",
        transaction_id=PC["no_tid"],
        amount=10000,
        paid_at=Micros(PAID_AT),
        aliases=(PC["no_tid"],),
    )
    assert (translation.event_type, translation.occurred_at) == ("payment.completed", PAID_AT)
    assert translation.provider_event_id == f"{PC['no_tid']}:APPROVAL:{PAID_AT}"


@pytest.mark.parametrize(("status", "expected"), [("CANCEL", "cancelled"), ("PART_CANCEL", "partially_cancelled")])
def test_a_cancel_is_the_truth_too(status: str, expected: str) -> None:
    assert payment(PROVIDER, form(PC), ANSWER | {"transactionStatus": status}).status == expected


@pytest.mark.parametrize(
    "change",
    [
        {"tid": "another"},
        {"oid": "O-2"},
        {"oid": None},
        {"price": "9999"},
        {"vacctInfo": {"accountNumber": "1", "depositDate": "20231115", "depositTime": "071320"}},
        {"vacctInfo": {"accountNumber": "56211105948400", "depositDate": "", "depositTime": None}},
    ],
)
def test_what_the_answer_contradicts_is_untrue(change: dict[str, Any]) -> None:
    with pytest.raises(Contradicted):
        answered(PROVIDER, form(PC), ANSWER | change)


def test_what_inicis_does_not_find_is_not_known_yet() -> None:
    with pytest.raises(NotKnownYet):
        answered(PROVIDER, form(PC), {"resultCode": "510001", "resultMsg": "없는 거래"})


@pytest.mark.parametrize("change", [{"transactionStatus": "NEW"}, {"price": "1,000"}])
def test_an_answer_in_other_words_is_unreadable(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidField):
        answered(PROVIDER, form(PC), ANSWER | change)


def test_the_content_type_is_kept_for_reading_it_again() -> None:
    posted = received(PROVIDER, form(PC))

    assert PROVIDER.select_headers(posted.headers) == {
        "content-type": "application/x-www-form-urlencoded; charset=euc-kr"
    }
    with pytest.raises(Malformed):
        translated(PROVIDER, form(PC), {"content-type": "application/json"})
