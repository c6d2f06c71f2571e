"""A shown payload can be understood but not misused: secrets, card numbers and addresses are masked."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.events.text.redaction import MASK, masked_text, redacted

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def shown(value: Any) -> Any:
    return redacted(json.dumps(value).encode())


@pytest.mark.parametrize(
    ("payload", "masked"),
    [
        ({"card": {"number": "4330123456781234"}}, {"card": {"number": "************1234"}}),
        ({"card": {"number": "53275080****161*"}}, {"card": {"number": "*******0****161*"}}),
        ({"card_number": 4242424242424242}, {"card_number": "************4242"}),
        ({"memo": "paid with 4242 4242 4242 4242."}, {"memo": "paid with **** **** **** 4242."}),
        ({"cvc": "123", "cvv": 123}, {"cvc": MASK, "cvv": MASK}),
        ({"secret": {"a": [1]}}, {"secret": MASK}),
        ({"client_secret": "pi_1_secret_2", "apiKey": "k"}, {"client_secret": MASK, "apiKey": MASK}),
        ({"email": "kim@example.test"}, {"email": "k***@example.test"}),
        ({"to": ["김 <minji.kim@mail.example.test>"]}, {"to": ["김 <m***@mail.example.test>"]}),
        ({"kim@example.test": 1}, {"k***@example.test": 1}),
        ({"url": "https://a.test/?token=abc&x=1"}, {"url": f"https://a.test/?token={MASK}&x=1"}),
        ({"businessNumber": "123-45-67890"}, {"businessNumber": "123-45-67890"}),
        (
            {"orderId": 123, "amount": 58000.5, "ok": True, "no": None},
            {"orderId": 123, "amount": 58000.5, "ok": True, "no": None},
        ),
        ({"transactionId": "TXN-20231115-12345"}, {"transactionId": "TXN-20231115-12345"}),
        ({"trackingNumber": "123456789012"}, {"trackingNumber": "123456789012"}),
        ({"email": '"q q"@example.test'}, {"email": f'"q{MASK}"@example.test'}),
        ({"to": r'"a\"b@c"@example.test'}, {"to": f'"a{MASK}"@example.test'}),
        ({"receiverTel": "01012345678", "contactNo": "02-123-4567"}, {"receiverTel": MASK, "contactNo": MASK}),
        ({"trackingNumber": "01012345678", "orderId": "010-1234-5678"},) * 2,
    ],
)
def test_card_numbers_secrets_and_addresses_are_masked_and_the_rest_is_shown(payload: Any, masked: Any) -> None:
    assert shown(payload) == masked


@pytest.mark.parametrize(
    "number",
    [
        "010-1234-5678", "010 1234 5678", "010.1234.5678", "010 - 1234 - 5678", "01012345678", "011-123-4567",
        "02-123-4567", "(02) 123-4567", "02)1234-5678", "031-123-4567", "070-1234-5678", "0504-1234-5678",
        "+82 10-1234-5678", "+821012345678", "+82-2-123-4567", "+82 (0)10 1234 5678", "010\u20131234\u20135678",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "text", ["{}", "tel {} call", "전화{}로", "tel:{}, fax", "Tel.{}.", "name=kim&tel={}&x=1", "a%20{}"]
)
def test_a_telephone_number_in_a_text_is_masked(number: str, text: str) -> None:
    assert masked_text(text.format(number)) == text.format(MASK)
    assert shown({"note": text.format(number)}) == {"note": text.format(MASK)}


def test_a_telephone_number_beside_a_card_number_hides_neither() -> None:
    note = "card 4242 4242 4242 4242 010-1234-5678"

    assert masked_text(note) == f"card **** **** **** 4242 {MASK}"


@pytest.mark.parametrize(
    "text",
    [
        "58000", "1,010,123 KRW", "0.02 1234", "2026-02-03T01:02:03.010123Z", "2026-02-03 02:12:34", "02-03-2026",
        "20260203-010-1234-5678", "ORD-010-1234-5678", "A01012345678", "010123456789", "0101234567", "5101012345678",
        "010-1234-56789", "1234-5678-9012", "123-45-67890", "TXN-20231115-12345", "1588-1234", "127.0.0.1",
        "1.02.1234.5678",
        "P_OID=01012345678&P_AMT=58000", '{"orderId": "010-1234-5678", ', "payment-3/1010-1234-5678", "+1 82 1234567",
    ],
)  # fmt: skip
def test_amounts_ids_tracking_numbers_and_times_are_no_telephone_numbers(text: str) -> None:
    assert masked_text(text) == text


def test_a_form_is_masked_as_text() -> None:
    form = b"P_OID=123&P_CARD_NUM=4330123456781234&P_EMAIL=kim@example.test&secret=abc"

    assert redacted(form) == "P_OID=123&P_CARD_NUM=************1234&P_EMAIL=k***@example.test&secret=***"


def test_broken_json_keeps_its_secrets_too() -> None:
    assert (
        redacted(b'{"secret": "abc", "email": "kim@example.test"') == '{"secret": "***", "email": "k***@example.test"'
    )


@pytest.mark.parametrize(
    "payload", [b"", b"\xff\x00", b"[" * 5000, b'{"a":' * 900 + b"1" + b"}" * 900, b"nan", b'"\\ud800"']
)
def test_any_payload_can_be_shown(payload: bytes) -> None:
    json.dumps(redacted(payload)).encode()


@pytest.mark.parametrize(
    "letter", ["a", "1", "a.", "@", "a@", "1 ", "a=", '"', '"a', '\\"', "010-", "010 1234 ", "+82", "k=010-1234-5678 "]
)
def test_the_longest_body_takes_no_longer_than_its_length(letter: str) -> None:
    began = time.process_time()

    masked_text(letter * (262_144 // len(letter)))

    assert time.process_time() - began < 2


PARTS = st.lists(
    st.sampled_from(
        [
            *' -.*="@&+',
            "a",
            "1",
            "010-1234-5678",
            "01012345678",
            "+82 10-1234-5678",
            "a@b.test",
            "id",
        ]
    )
)


@given(PARTS.map("".join))
def test_masking_a_masked_text_changes_nothing(text: str) -> None:
    once = masked_text(text)

    assert masked_text(once) == once


@given(JSON)
def test_masking_what_is_masked_changes_nothing(value: Any) -> None:
    once = shown(value)

    assert shown(once) == once
