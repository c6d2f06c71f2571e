"""What may be shown of what was posted: card numbers, secrets and e-mail addresses masked. Pure.

JSON is masked value by value and stays JSON; anything else is masked as text. When in doubt it is masked: an order
number that happens to be a valid card number is shown as one.
"""

import re
from typing import Any

import msgspec

MASK = "***"
DEEPEST = 40
LONGEST = 100_000

_SECRET_KEY = re.compile(
    r"secret|passw|passcode|\bpin\b|token|api_?key|access_?key|private_?key|billing_?key|authorization|credential"
    r"|cvv|cvc|signature|resident|\bssn\b",
    re.IGNORECASE,
)
_CARD_KEY = re.compile(r"card_?(number|num|no)\b|\bpan\b|account_?(number|num|no)\b|vbank_?num", re.IGNORECASE)
# Each looks behind itself, so that a long word is tried once and not at each of its letters.
_EMAIL = re.compile(
    r"(?<![^\s\"'<>@,;:=&(){}\[\]/\\])([^\s\"'<>@,;:=&(){}\[\]/\\])[^\s\"'<>@,;:=&(){}\[\]/\\]*@([\w-]+(?:\.[\w-]+)+)"
)
_CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_PAIR = re.compile(r"(?<![\w.\[\]-])([\w.\[\]-]+)(=|\"\s*:\s*\")([^&\s\"]+)")
_SHOWN_DIGITS = 4
_DIGIT = re.compile(r"\d")


def redacted(payload: bytes) -> Any:
    """What was posted, as JSON where it is JSON and as text otherwise, with what is nobody's business masked."""
    try:
        value = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return masked_text(payload.decode(errors="replace")[:LONGEST])
    return _masked(value, "", DEEPEST)


def masked_text(text: str) -> str:
    """A text such as an error or form parameters, masked."""
    text = _PAIR.sub(lambda pair: pair[1] + pair[2] + _masked_pair(pair[1], pair[3]), text)
    return _CARD.sub(_masked_card, _EMAIL.sub(rf"\1{MASK}@\2", text))


def masked_value(value: Any) -> Any:
    """A JSON value, masked."""
    return _masked(value, "", DEEPEST)


def _masked(value: Any, key: str, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if _SECRET_KEY.search(key):
        return MASK
    if not isinstance(value, dict | list):
        return _masked_leaf(value, key)
    if not depth:
        return "…"
    if isinstance(value, list):
        return [_masked(item, key, depth - 1) for item in value]
    prefix = "card_" if _is_card(key) else ""
    return {masked_text(name): _masked(item, prefix + name, depth - 1) for name, item in value.items()}


def _masked_leaf(value: str | float, key: str) -> Any:
    text = str(value)
    shown = _hidden_digits(text) if _CARD_KEY.search(key) else masked_text(text)
    return value if shown == text else shown


def _is_card(key: str) -> bool:
    return key.lower() in ("card", "creditcard", "credit_card")


def _masked_pair(key: str, value: str) -> str:
    if _SECRET_KEY.search(key):
        return MASK
    return _hidden_digits(value) if _CARD_KEY.search(key) else value


def _masked_card(found: re.Match[str]) -> str:
    digits = [int(digit) for digit in _DIGIT.findall(found[0])]
    return _hidden_digits(found[0]) if _is_luhn(digits) else found[0]


def _hidden_digits(number: str) -> str:
    """All digits but the last four, hidden; a short number altogether."""
    hidden = len(_DIGIT.findall(number)) - _SHOWN_DIGITS
    if hidden <= _SHOWN_DIGITS:
        return _DIGIT.sub("*", number)
    return _DIGIT.sub("*", number, count=hidden)


def _is_luhn(digits: list[int]) -> bool:
    """ISO/IEC 7812-1, annex B: the check digit of card numbers."""
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
