"""A shown payload can be understood but not misused: secrets, card numbers and addresses are masked."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.events.redaction import MASK, masked_text, redacted

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
    ],
)
def test_card_numbers_secrets_and_addresses_are_masked_and_the_rest_is_shown(payload: Any, masked: Any) -> None:
    assert shown(payload) == masked


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


@pytest.mark.parametrize("letter", ["a", "1", "a.", "@", "a@", "1 ", "a="])
def test_the_longest_body_takes_no_longer_than_its_length(letter: str) -> None:
    began = time.process_time()

    masked_text(letter * (262_144 // len(letter)))

    assert time.process_time() - began < 2


@given(JSON)
def test_masking_what_is_masked_changes_nothing(value: Any) -> None:
    once = shown(value)

    assert shown(once) == once
