"""Reads Tapayz's amounts of cash and of crypto currencies, and the numbers of blocks."""

import re
from collections.abc import Mapping

import msgspec

from providers.contract import InvalidField
from providers.parsing import json_body
from providers.parsing.money import units_of_any

MAX_CRYPTO_DIGITS = 80
"""Maximum digits on either side of the point: the largest amount of a token, 2^256 - 1, has 78."""
_CRYPTO = re.compile(r"(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?", re.ASCII)
_text = msgspec.json.Decoder(str)
MAX_BLOCK_DIGITS = 18
CASH_ASSETS: Mapping[str, str] = {"1": "KRW", "2": "USD"}
"""Tapayz's id of a cash asset → its currency. An id that is absent or not listed means DEFAULT_CASH."""
DEFAULT_CASH = "KRW"


def cash(amount: msgspec.Raw, asset: str | None, assets: Mapping[str, str]) -> tuple[int | None, str]:
    """Return an amount of cash in minor units, None if it is absent, empty or zero; and its currency.

    The currency is that of `asset` in `assets`, or DEFAULT_CASH. Raises InvalidField for an amount that is no number.
    """
    currency = assets.get(asset or "", DEFAULT_CASH)
    return units_of_any(amount, currency, "cashAmount"), currency


def block(number: msgspec.Raw) -> int | None:
    """Return a block's number; None if it is absent or no number, so that a wrong one never refuses a webhook."""
    digits = bytes(number).strip(b'"')
    return int(digits) if digits.isdigit() and len(digits) <= MAX_BLOCK_DIGITS else None


def crypto(amount: msgspec.Raw, field: str) -> str | None:
    """Return an amount on a chain as a plain decimal text, None for an absent or empty one.

    The amount may be a text or a JSON number: `74.074074` and `0` stay as they are written, `1e-18` becomes
    `0.000000000000000001`. It is never converted to a number type, since none holds all digits. Raises InvalidField
    for anything else, such as a minus sign, and for more than MAX_CRYPTO_DIGITS digits on either side of the point.
    """
    raw_text = bytes(amount)
    if raw_text in (b"", b"null"):
        return None
    text = (json_body.read_again(_text, raw_text) if raw_text.startswith(b'"') else raw_text.decode()).strip()
    if not text:
        return None
    match = _CRYPTO.fullmatch(text.removeprefix("+"))
    if match is None or not (match[1] or match[2]):
        raise InvalidField(f"{field} must be a positive decimal number")
    plain = _plain(match[1], match[2] or "", int(match[3] or 0))
    if plain is None:
        raise InvalidField(f"{field} has more than {MAX_CRYPTO_DIGITS} digits on one side of the point")
    return plain


def _plain(whole: str, fraction: str, shift: int) -> str | None:
    """Return the number with its point moved by `shift` places, or None if it is then too long."""
    point, digits = len(whole) + shift, whole + fraction
    if max(len(digits), abs(shift)) > 2 * MAX_CRYPTO_DIGITS:
        return None
    digits = "0" * -point + digits + "0" * (point - len(digits))
    point = max(point, 0)
    whole, fraction = digits[:point].lstrip("0") or "0", digits[point:]
    if shift:
        fraction = fraction.rstrip("0")
    if max(len(whole), len(fraction)) > MAX_CRYPTO_DIGITS:
        return None
    return f"{whole}.{fraction}" if fraction else whole
