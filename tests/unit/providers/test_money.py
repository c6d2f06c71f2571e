"""Money: exact, in minor units of ISO 4217."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.contract import InvalidField
from providers.parsing.currencies import DIGITS
from providers.parsing.fields import ABSENT
from providers.parsing.money import (
    currency_code,
    exponent,
    minor_units,
    minor_units_or_none,
    units_of_any,
    whole_units,
)

EXPONENTS = {
    "KRW": 0, "JPY": 0, "VND": 0, "CLP": 0, "ISK": 0, "UGX": 0, "XOF": 0,
    "USD": 2, "EUR": 2, "GBP": 2, "CNY": 2, "HUF": 2, "TWD": 2, "MGA": 2, "MRU": 2, "IDR": 2,
    "KWD": 3, "BHD": 3, "JOD": 3, "OMR": 3, "TND": 3, "IQD": 3, "LYD": 3,
    "CLF": 4, "UYW": 4,
    "XCG": 2, "ANG": 2, "XAD": 2,
    "HRK": 2, "BGN": 2, "DEM": 2, "LTL": 2, "EEK": 2, "CUC": 2, "VEF": 2, "ZWL": 2, "ZMK": 2,
    "MRO": 2, "STD": 2, "SLL": 2, "BYR": 0, "ITL": 0, "ESP": 0, "TRL": 0, "ROL": 0, "YUD": 2, "PLZ": 2,
}  # fmt: skip
"""Among them codes that ISO 4217 has withdrawn: charges were made in them while they were money."""


def units(text: str, currency: str = "KRW") -> int | None:
    return minor_units(msgspec.Raw(text.encode()), currency)


@pytest.mark.parametrize(("currency", "digits"), EXPONENTS.items())
def test_a_currency_has_the_decimals_iso_4217_gives_it(currency: str, digits: int) -> None:
    assert exponent(currency) == digits


@pytest.mark.parametrize("currency", ["", "krw", "KR", "KRWW", "XXX", "XTS", "XAU", "BTC", "원"])
def test_what_is_no_currency_is_refused_by_name(currency: str) -> None:
    with pytest.raises(InvalidField, match="no ISO 4217 currency"):
        exponent(currency)


def test_the_list_holds_the_current_and_the_withdrawn_codes() -> None:
    assert len(DIGITS) > 290
    assert all(len(code) == 3 and code.isupper() for code in DIGITS)
    assert not {"XXX", "XTS", "XAU", "XDR", "XFO"} & set(DIGITS), "these are no money"


@pytest.mark.parametrize("code", ["usd", "Usd", "USD", " usd "])
def test_a_currency_may_be_written_in_any_letter_case(code: str) -> None:
    assert currency_code(code) == "USD"


@pytest.mark.parametrize("nothing", [None, "", " "])
def test_a_body_that_names_no_currency_means_won(nothing: str | None) -> None:
    assert currency_code(nothing) == "KRW"


@pytest.mark.parametrize("code", ["won", "XXX", "BTC", "US", "ß"])
def test_a_code_that_was_never_a_currency_is_refused(code: str) -> None:
    with pytest.raises(InvalidField, match="no ISO 4217 currency"):
        currency_code(code)


@pytest.mark.parametrize(
    ("text", "currency", "expected"),
    [
        ("58000.0", "KRW", 58000),
        ("58000.000000000000", "KRW", 58000),
        ("1.0E7", "KRW", 10_000_000),
        ("1.0e+7", "KRW", 10_000_000),
        ("5.8E4", "KRW", 58000),
        ("58e3", "KRW", 58000),
        ("5800000E-2", "KRW", 58000),
        ("0.00058e8", "KRW", 58000),
        ("1.2345E2", "USD", 12345),
        ("1.000", "USD", 100),
        ("1e-2", "USD", 1),
        ("99999999999999.9e1", "KRW", 999_999_999_999_999),
        ("9007199254740993.00E-1", "USD", 90071992547409930),
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


@pytest.mark.parametrize("amount", [ABSENT, msgspec.Raw(b""), msgspec.Raw(b"null")])
def test_an_amount_may_be_left_out(amount: msgspec.Raw) -> None:
    assert minor_units(amount, "KRW") is None


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("58000.5", "KRW"),
        ("1.5", "KRW"),
        ("1.05E1", "KRW"),
        ("1e-1", "KRW"),
        ("58000.00000000001", "KRW"),
        ("0.001", "USD"),
        ("1e-3", "USD"),
        ("1e-999", "USD"),
        ("1.2345", "KWD"),
        ("0.00001", "CLF"),
    ],
)
def test_what_is_finer_than_its_currency_is_refused_not_rounded(text: str, currency: str) -> None:
    with pytest.raises(InvalidField, match="finer"):
        units(text, currency)


@pytest.mark.parametrize("currency", ["KRW", "USD", "KWD"])
@pytest.mark.parametrize(
    "text",
    [
        "0", "-0", "-1", "+1", "1e", "1e+", "e5", "1e1.5", "1e16", "1e999", "1e999999999", "-1e2", "-0.0", "0e9",
        '"1"', '"58,000"', "true", "false", "[]", "[1]", "{}", "NaN", "Infinity", "1_000", "1,000", "\u0663", "\uff11",
        "1.", ".5", "0x1", "1" * 16, "9" * 4000, "9" * 4301, "1\n", "0.000000001",
    ],
    ids=lambda text: ascii(text)[:12],
)  # fmt: skip
def test_what_is_no_positive_plain_number_is_refused(text: str, currency: str) -> None:
    with pytest.raises(InvalidField, match="amount"):
        units(text, currency)


def test_a_complaint_names_the_field() -> None:
    with pytest.raises(InvalidField, match="cancelAmount"):
        minor_units(msgspec.Raw(b"true"), "KRW", "cancelAmount")


@given(units_=st.integers(min_value=1, max_value=10**15 - 1), currency=st.sampled_from(sorted(EXPONENTS)))
def test_what_is_written_in_minor_units_is_read_as_the_same(units_: int, currency: str) -> None:
    digits = exponent(currency)
    padded = str(units_).zfill(digits + 1)
    written = f"{padded[:-digits]}.{padded[-digits:]}" if digits else padded

    assert units(written, currency) == units_


@pytest.mark.parametrize("nothing", ["0", "0.0", "00", "0e0", "0.0E0", "0.000000000000", "0e-9", "null", ""])
def test_where_a_zero_says_nothing_it_is_none(nothing: str) -> None:
    assert minor_units_or_none(msgspec.Raw(nothing.encode()), "KRW") is None


def test_what_is_not_zero_is_read_as_ever() -> None:
    assert minor_units_or_none(msgspec.Raw(b"58000"), "KRW") == 58000
    for wrong, currency in ((b'"0"', "KRW"), (b"-0", "KRW"), (b"0", "WON")):
        with pytest.raises(InvalidField):
            minor_units_or_none(msgspec.Raw(wrong), currency)


@pytest.mark.parametrize(("written", "expected"), [
    (b"58000", 58000), (b"58000.0", 58000), (b"5.8e4", 58000), (b'"58000"', 58000), (b'"58000.00"', 58000),
    (b'"1.0E7"', 10_000_000), (b"0", None), (b'"0.00"', None), (b'""', None), (b'" "', None), (b"null", None),
])  # fmt: skip
def test_where_providers_write_numbers_or_texts_either_is_read(written: bytes, expected: int | None) -> None:
    assert units_of_any(msgspec.Raw(written), "KRW") == expected


@pytest.mark.parametrize("written", [b"58000.5", b'"58000.5"', b'"-1"', b'"NaN"', b"true", b"{}", b'"1e999999999"'])
def test_neither_is_rounded_or_guessed(written: bytes) -> None:
    with pytest.raises(InvalidField, match="amount"):
        units_of_any(msgspec.Raw(written), "KRW")


@pytest.mark.parametrize(
    ("written", "expected"), [(b"20000", 20000), (b"20000.0", 20000), (b"2E4", 20000), (b"0", 0), (b"null", None)]
)
def test_what_is_counted_in_minor_units_already_may_be_written_so_too(written: bytes, expected: int | None) -> None:
    assert whole_units(msgspec.Raw(written)) == expected


@pytest.mark.parametrize("written", [b"1.5", b"-1", b"1e15", b"1e999", b'"NaN"', b'"3000"', b"1e-9"])
def test_it_is_not_rounded_either(written: bytes) -> None:
    with pytest.raises(InvalidField, match="amount"):
        whole_units(msgspec.Raw(written))


def test_an_exponent_costs_no_time_and_no_memory_however_large_it_is() -> None:
    assert units("0." + "0" * 300 + "1e301") == 1
    for text in ("1e999999999", "1e-999999999", "1e999", "9" * 309 + "e-309"):
        with pytest.raises(InvalidField):
            units(text)
