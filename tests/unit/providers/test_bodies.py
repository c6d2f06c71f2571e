"""Strictness: what two readers could understand differently, or Postgres could not keep, is refused."""

from typing import Any

import pytest

from providers.contract import InvalidField, Malformed, RefusedWebhook
from providers.generic import webhook as generic
from providers.shop import webhook as shop
from stream.events import CustomerPayload, PaymentPayload
from tests.unit.providers.posted import a_payment, posted, with_text


def the_payment(body: bytes) -> PaymentPayload:
    payload = generic.translate(posted(body), "payment").payload
    assert isinstance(payload, PaymentPayload)
    return payload


def saying(more: bytes) -> bytes:
    """A payment with this besides, letter for letter."""
    return with_text(a_payment(), more)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b'{"orderId": "1", "sta',
        saying(b'"x": NaN'),
        saying(b'"x": -Infinity'),
        saying(b'"amount": NaN'),
        saying(b'"amount": 0x1'),
        saying(b'"amount": 01'),
        saying(b'"amount": 1.'),
        saying(b'"amount": +1'),
        saying(b'"x": 1') + b"x",
        saying(b'"x": 1') * 2,
        saying(b'"x": 1').decode().encode("utf-16"),
        saying(b'"paymentMethod": "\xff"'),
        saying(b'"amount": "\xff"'),  # the decoder hands this on unread
        saying(b'"x": "\xff"'),  # and skips these
        saying(b'"\xff": 1'),
        saying(b'"x": "\xed\xa0\x80"'),
        saying(b'"x": "\\q"'),
        saying(b'"x": "a\nb"'),
        saying(b'"paymentMethod": "\x00"'),
        saying(b'"x": ' + b"[" * 100_000 + b"]" * 100_000),
        saying(b'"x": ' + b'{"a":' * 20_000 + b"1" + b"}" * 20_000),
        saying(b'"y": "\\n", "x": ' + b"[" * 1001 + b"]" * 1001),
        saying(b"'x': 1"),
        saying(b'"x": 1 /* comment */'),
    ],
)
def test_what_is_not_json_in_utf_8_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        the_payment(body)


@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b"[1]",
        b'"x"',
        b"{}",
        saying(b'"status": "failed"'),
        saying(b'"status": "completed"'),
        saying(b'"st\\u0061tus": "failed"'),
        saying(b'"x": {"a": 1, "a": 2}'),
        saying(b'"x": [{"a": 1, "\\u0061": 2}]'),
        saying(b'"\\ud800": 1, "\\udfff": 2'),
    ],
)
def test_json_that_says_something_else_or_two_things_is_unreadable(body: bytes) -> None:
    with pytest.raises(InvalidField):
        the_payment(body)


@pytest.mark.parametrize(
    "text", [b'"\\\\u0000"', b'"\\ud83d\\ude00"', '"서울 😀"'.encode(), b'"a \\"key\\": b"', b'"e400 1e400"']
)
def test_harmless_texts_are_not_taken_for_harmful_ones(text: bytes) -> None:
    assert the_payment(saying(b'"x": ' + text)) == the_payment(saying(b'"x": 1'))


def test_the_same_key_in_two_objects_is_not_given_twice() -> None:
    assert the_payment(saying(b'"x": [{"a": 1}, {"a": 2}], "y": {"status": 1}'))


def test_brackets_within_texts_are_no_depth() -> None:
    assert the_payment(saying(b'"x": "' + b'[{\\"' * 2000 + b'"'))


def test_many_objects_side_by_side_are_no_depth() -> None:
    assert the_payment(saying(b'"x": [' + b",".join([b"{}"] * 3000) + b"]"))


@pytest.mark.parametrize("depth", [100, 900])
def test_a_body_may_be_nested_within_reason(depth: int) -> None:
    assert the_payment(saying(b'"x": ' + b"[" * depth + b"]" * depth))


@pytest.mark.parametrize(
    "number",
    [
        "1e400",
        "-1E+400",
        "1e131072",
        "1e-20000",
        "1e99999999999999999999",
        "9" * 310,
        "9" * 4301,
        "0." + "0" * 20_000 + "1",
    ],
    ids=lambda number: number[:12],
)
def test_a_number_no_reader_can_hold_is_refused_wherever_it_stands(number: str) -> None:
    # Postgres keeps the whole body as jsonb: what overflows its numeric would stop the processor for good.
    with pytest.raises(InvalidField):
        the_payment(saying(b'"x": ' + number.encode()))
    with pytest.raises(InvalidField):
        the_payment(saying(b'"x": [{"y": ' + number.encode() + b"}]"))


@pytest.mark.parametrize(
    "number", ["1e308", "-1.5e-300", "9" * 308, "0.1", "1e0", "-0"], ids=lambda number: number[:12]
)
def test_a_number_others_can_hold_may_stand_where_we_do_not_read(number: str) -> None:
    assert the_payment(saying(b'"x": ' + number.encode()))


@pytest.mark.parametrize(
    "text",
    [
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'"\\ud800\\u0041"',
        b'"\\u0000"',
        b'[["a\\u0000"]]',
        b'{"\\u0000": "\\udfff"}',
    ],
)
def test_half_a_letter_or_a_nul_where_nobody_reads_costs_nothing(text: bytes) -> None:
    assert the_payment(saying(b'"x": ' + text)) == the_payment(saying(b'"x": 1'))


def test_a_byte_order_mark_costs_nothing() -> None:
    assert the_payment(b"\xef\xbb\xbf" + saying(b'"x": 1')) == the_payment(saying(b'"x": 1'))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (b'"\\ud800"', "\ufffd"),
        (b'"a\\u0000b\\udfff"', "a\ufffdb\ufffd"),
        (b'"\\\\ud800 \\ud83d\\ude00"', "\\ud800 😀"),
    ],
)
def test_half_a_letter_or_a_nul_in_a_text_becomes_a_mark(text: bytes, kept: str) -> None:
    assert the_payment(saying(b'"paymentMethod": ' + text)).method == kept


@pytest.mark.parametrize(
    "good",
    [
        "1", "a", "TXN_20250827_001", "주문-1", "#1001", "a.b:c=d+e@f~g-h", "1" * 128, "가" * 128, "2026/0001", "../x",
        "auth0|5f7c8ec7c33c6c004bbafe82", "-1", ".a", "😀", "a b", "주문 번호 1",
        " 7 ", "<b>", "'", "a,b", "100%", "%2F",
        'a"b', "a\\b", "नमस्\u200dते", "a\u3000b",
    ],
)  # fmt: skip
def test_an_id_is_printable_text_kept_as_it_is(good: str) -> None:
    assert the_payment(posted(a_payment(orderId=good)).body).order_id == good


@pytest.mark.parametrize(
    "bad",
    [
        "", " ", "\u3000", "a\n", "\na", "a\rb", "a\tb", "\x00", "a\x00", "\x7f", "a\x85b", "a\x9bb", "a\u2028b",
        "a\u2029b",
        "a\u200bb", "a\u202eb", "\ufeffa", "a\U000e0041", "1" * 129, "a" * 10_240,
    ],
    ids=lambda bad: ascii(bad)[:12],
)  # fmt: skip
def test_an_id_that_nobody_could_read_out_is_refused(bad: str) -> None:
    with pytest.raises(InvalidField, match="orderId"):
        the_payment(posted(a_payment(orderId=bad)).body)


@pytest.mark.parametrize(
    ("written", "micros"),
    [
        ("2023-11-15T10:30:00Z", 1_700_044_200_000_000),
        ("2023-11-15T19:30:00+09:00", 1_700_044_200_000_000),
        ("2023-11-15T10:30:00.123456Z", 1_700_044_200_123_456),
        ("2000-01-01T00:00:00Z", 946_684_800_000_000),
        ("2099-12-31T23:59:59.999999Z", 4_102_444_799_999_999),
    ],
)
def test_an_instant_is_kept_to_the_microsecond(written: str, micros: int) -> None:
    assert the_payment(posted(a_payment(paidAt=written)).body).paid_at == micros


@pytest.mark.parametrize(
    "wrong", ["2023-11-15T10:30:00", "2023-11-15", "10:30", "yesterday", "1900-01-01T00:00:00Z", "2100-01-01T00:00:00Z"]
)
def test_an_instant_without_zone_or_reason_says_nothing(wrong: Any) -> None:
    assert the_payment(posted(a_payment(paidAt=wrong)).body).paid_at is None


@pytest.mark.parametrize(
    "address", ["a@b.c", "kim.min-ji+shop@example.co.kr", "o'neil@example.test", "a" * 64 + "@example.test"]
)
def test_an_address_is_kept_as_it_is_written(address: str) -> None:
    payload = shop.translate(posted({"customerId": 1, "email": address}), "customer").payload

    assert isinstance(payload, CustomerPayload)
    assert payload.email == address


@pytest.mark.parametrize("wrong", ["a@b.c\nBcc: d@e.f", "a@b.c\r", "a@b.c\n", "a\x1b@b.c", "a@b.c\x85", "\n"])
def test_a_control_character_in_an_address_is_refused(wrong: str) -> None:
    """What else is no address is stored, listed and never mailed: test_shop.py."""
    with pytest.raises(RefusedWebhook, match="email"):
        shop.translate(posted({"customerId": 1, "email": wrong}), "customer")


@pytest.mark.parametrize("half", ["\\ud800", "a\\udfff", "\\udc00\\ud800"])
def test_an_id_that_holds_half_a_letter_is_refused(half: str) -> None:
    with pytest.raises(InvalidField, match="orderId"):
        the_payment(f'{{"orderId": "{half}", "status": "completed"}}'.encode())
