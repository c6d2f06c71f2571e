"""Reads amounts as integers of minor units, exactly, by the digits of ISO 4217."""

import re

import msgspec

from providers.contract import InvalidField
from providers.parsing import json_body
from providers.parsing.currencies import DIGITS

RawMinorUnits = msgspec.Raw
"""An amount in minor units as raw JSON: `20000`, `20000.0`, `2e4`."""

DEFAULT_CURRENCY = "KRW"
"""The currency of an amount whose body names none."""

EMPTY = ("", "null", '""')
"""The spellings of an absent amount."""
MAX_WHOLE_DIGITS = 15
"""Maximum digits of an amount before its decimals; for `whole_units`, of the whole amount."""

_text = msgspec.json.Decoder(str)
_NUMBER = re.compile(r"(\d{1,309})(?:\.(\d{1,324}))?(?:[eE]([+-]?\d{1,3}))?", re.ASCII)
"""A JSON number without a minus sign, no longer than other readers can hold (`providers.parsing.json_body`)."""


def exponent(currency: str) -> int:
    """Return how many decimal digits the currency's minor unit has (ISO 4217: KRW 0, USD 2, KWD 3).

    `currency` is a code in capitals. Raises InvalidField for a code that ISO 4217 has never listed.
    """
    if currency not in DIGITS:
        raise InvalidField(f"{currency} is no ISO 4217 currency")
    return DIGITS[currency]


def currency_code(code: str | None) -> str:
    """Return a currency code in capitals, DEFAULT_CURRENCY for an absent or empty one.

    Raises InvalidField for a code that ISO 4217 has never listed.
    """
    name = (code or "").strip().upper() or DEFAULT_CURRENCY
    exponent(name)
    return name


def minor_units(amount: msgspec.Raw, currency: str, field: str = "amount") -> int | None:
    """Return a JSON number, in major units, as minor units of its currency; None if it is absent, null or empty.

    Raises InvalidField, which names `field`, for zero and anything else but a positive number, for one finer than the
    minor unit, which is never rounded, or longer than MAX_WHOLE_DIGITS, and for a currency that ISO 4217 never listed.
    """
    exponent(currency)
    text = bytes(amount).decode()
    return None if text in EMPTY else _positive(exact_units(text, currency, field), field)


def minor_units_or_none(amount: msgspec.Raw, currency: str, field: str = "amount") -> int | None:
    """Do the same as `minor_units`, but return None for zero too."""
    exponent(currency)
    text = bytes(amount).decode()
    return None if text in EMPTY else exact_units(text, currency, field) or None


def units_of_any(amount: msgspec.Raw, currency: str, field: str = "amount") -> int | None:
    """Do the same as `minor_units_or_none` for a number or a text that spells one; return None for a blank text too."""
    if not bytes(amount).startswith(b'"'):
        return minor_units_or_none(amount, currency, field)
    text = json_body.read_again(_text, bytes(amount)).strip()
    return exact_units(text, currency, field) or None if text else None


def exact_units(text: str, currency: str, field: str = "amount") -> int:
    """Return the number that `text` spells, such as `100000.000000`, in minor units of its currency; 0 for zero.

    The digits are shifted, so an exponent costs nothing however large it is. Raises as `minor_units` does, but not for
    zero.
    """
    digits = exponent(currency)
    return _shifted(text, digits, f"{currency}, which has {digits} decimals", field)


def _shifted(text: str, digits: int, unit: str, field: str) -> int:
    """Return the number in `text` times 10 to the power of `digits`; 0 for zero.

    Raises InvalidField for anything but a plain number without a sign, and for one finer than `unit` or longer than
    MAX_WHOLE_DIGITS.
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise InvalidField(f"{field} must be a positive plain number")
    whole, fraction, shift = match[1], match[2] or "", int(match[3] or 0)
    written = (whole + fraction).lstrip("0")
    significant = written.rstrip("0")
    zeros = digits + shift - len(fraction) + len(written) - len(significant)
    if not significant:
        return 0
    if zeros < 0:
        raise InvalidField(f"{field} is finer than {unit}")
    if len(significant) + zeros > MAX_WHOLE_DIGITS + digits:
        raise InvalidField(f"{field} has more than {MAX_WHOLE_DIGITS} digits")
    return int(significant + "0" * zeros)


def whole_units(amount: RawMinorUnits, field: str = "amount") -> int | None:
    """Return an amount that the body already gives in minor units, 0 too; None if it is absent, null or empty.

    Raises InvalidField for a number that is negative, too large or not whole.
    """
    text = bytes(amount).decode()
    return None if text in EMPTY else _shifted(text, 0, "the minor unit of its currency", field)


def _positive(units: int, field: str) -> int:
    if units == 0:
        raise InvalidField(f"{field} must be more than zero")
    return units
