"""Money: exact, in minor units of ISO 4217."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.contract import Unreadable
from providers.money import NOT_SAID, exponent, minor_units, minor_units_or_none

EXPONENTS = {
    "KRW": 0, "JPY": 0, "VND": 0, "CLP": 0, "ISK": 0, "UGX": 0, "XOF": 0,
    "USD": 2, "EUR": 2, "GBP": 2, "CNY": 2, "HUF": 2, "TWD": 2, "MGA": 2, "MRU": 2, "IDR": 2,
    "KWD": 3, "BHD": 3, "JOD": 3, "OMR": 3, "TND": 3, "IQD": 3, "LYD": 3,
    "CLF": 4, "UYW": 4,
}  # fmt: skip


def units(text: str, currency: str = "KRW") -> int | None:
    return minor_units(msgspec.Raw(text.encode()), currency)


@pytest.mark.parametrize(("currency", "digits"), EXPONENTS.items())
def test_a_currency_has_the_decimals_iso_4217_gives_it(currency: str, digits: int) -> None:
    assert exponent(currency) == digits


@pytest.mark.parametrize("currency", ["", "krw", "KR", "KRWW", "XXX", "XTS", "XAU", "BTC", "원"])
def test_what_is_no_currency_is_refused_by_name(currency: str) -> None:
    with pytest.raises(Unreadable, match="no ISO 4217 currency"):
        exponent(currency)


@pytest.mark.parametrize(
    ("text", "currency", "expected"),
    [
        ("58000", "KRW", 58000),
        ("1", "KRW", 1),
        ("999999999999999", "KRW", 999_999_999_999_999),
        ("1", "USD", 100),
        ("0.01", "USD", 1),
        ("0.1", "USD", 10),
        ("12.34", "USD", 1234),
        ("12.30", "USD", 1230),
        ("999999999999999.99", "USD", 99_999_999_999_999_999),
        ("1.234", "KWD", 1234),
        ("1.2", "KWD", 1200),
        ("0.0001", "CLF", 1),
    ],
)
def test_an_amount_is_read_exactly(text: str, currency: str, expected: int) -> None:
    assert units(text, currency) == expected


@pytest.mark.parametrize("amount", [NOT_SAID, msgspec.Raw(b""), msgspec.Raw(b"null")])
def test_an_amount_may_be_left_out(amount: msgspec.Raw) -> None:
    assert minor_units(amount, "KRW") is None


@pytest.mark.parametrize(
    ("text", "currency"),
    [("1.0", "KRW"), ("1.5", "KRW"), ("0.001", "USD"), ("1.000", "USD"), ("1.2345", "KWD"), ("0.00001", "CLF")],
)
def test_what_is_finer_than_its_currency_is_refused_not_rounded(text: str, currency: str) -> None:
    with pytest.raises(Unreadable, match="finer"):
        units(text, currency)


@pytest.mark.parametrize("currency", ["KRW", "USD", "KWD"])
@pytest.mark.parametrize(
    "text",
    [
        "0", "-0", "-1", "+1", "1e2", "1E2", '"1"', '"58,000"', "true", "false", "[]", "[1]", "{}", "NaN", "Infinity",
        "1_000", "1,000", "\u0663", "\uff11", "1.", ".5", "0x1", "1" * 16, "9" * 4000, "9" * 4301, "1\n", "0.000000001",
    ],
    ids=lambda text: ascii(text)[:12],
)  # fmt: skip
def test_what_is_no_positive_plain_number_is_refused(text: str, currency: str) -> None:
    with pytest.raises(Unreadable, match="amount"):
        units(text, currency)


def test_a_complaint_names_the_field() -> None:
    with pytest.raises(Unreadable, match="cancelAmount"):
        minor_units(msgspec.Raw(b"true"), "KRW", "cancelAmount")


@given(units_=st.integers(min_value=1, max_value=10**15 - 1), currency=st.sampled_from(sorted(EXPONENTS)))
def test_what_is_written_in_minor_units_is_read_as_the_same(units_: int, currency: str) -> None:
    digits = exponent(currency)
    padded = str(units_).zfill(digits + 1)
    written = f"{padded[:-digits]}.{padded[-digits:]}" if digits else padded

    assert units(written, currency) == units_


@pytest.mark.parametrize("nothing", ["0", "0.0", "00", "null", ""])
def test_where_a_zero_says_nothing_it_is_none(nothing: str) -> None:
    assert minor_units_or_none(msgspec.Raw(nothing.encode()), "KRW") is None


def test_what_is_not_zero_is_read_as_ever() -> None:
    assert minor_units_or_none(msgspec.Raw(b"58000"), "KRW") == 58000
    for wrong, currency in ((b'"0"', "KRW"), (b"-0", "KRW"), (b"0", "WON")):
        with pytest.raises(Unreadable):
            minor_units_or_none(msgspec.Raw(wrong), currency)
