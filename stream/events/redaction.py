"""Masks card numbers, secrets and e-mail addresses in payloads before they are shown. Pure.

JSON is masked value by value and stays JSON; anything else is masked as text. In doubt a value is masked: so is an
order number that happens to be a valid card number.
"""

import re

import msgspec

MASK = "***"
MAX_DEPTH = 40
MAX_TEXT_CHARS = 100_000

_SECRET_KEY = re.compile(
    r"secret|passw|passcode|\bpin\b|token|api_?key|access_?key|private_?key|billing_?key|authorization|credential"
    r"|cvv|cvc|signature|resident|\bssn\b",
    re.IGNORECASE,
)
_CARD_KEY = re.compile(r"card_?(number|num|no)\b|\bpan\b|account_?(number|num|no)\b|vbank_?num", re.IGNORECASE)
# Each pattern begins with a lookbehind, so that a long word is tried once and not again at each of its letters.
_EMAIL = re.compile(
    r"(?<![^\s\"'<>@,;:=&(){}\[\]/\\])([^\s\"'<>@,;:=&(){}\[\]/\\])[^\s\"'<>@,;:=&(){}\[\]/\\]*@([\w-]+(?:\.[\w-]+)+)"
)
_CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_PAIR = re.compile(r"(?<![\w.\[\]-])([\w.\[\]-]+)(=|\"\s*:\s*\")([^&\s\"]+)")
_SHOWN_DIGITS = 4
_DIGIT = re.compile(r"\d")


def redacted(payload: bytes) -> object:
    """Return the masked payload: a JSON value if it is JSON, else text of at most MAX_TEXT_CHARS characters."""
    try:
        value = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return masked_text(payload.decode(errors="replace")[:MAX_TEXT_CHARS])
    return _masked(value, "", MAX_DEPTH)


def masked_text(text: str) -> str:
    """Return a text, such as an error or form parameters, with secrets, card numbers and addresses masked."""
    text = _PAIR.sub(lambda pair: pair[1] + pair[2] + _masked_pair(pair[1], pair[3]), text)
    return _CARD.sub(_masked_card, _EMAIL.sub(rf"\1{MASK}@\2", text))


def masked_value(value: object) -> object:
    """Return a decoded JSON value, masked; values below MAX_DEPTH levels become "…"."""
    return _masked(value, "", MAX_DEPTH)


def masked_field(name: str, value: object) -> object:
    """Return a decoded JSON value, masked as the field `name` of an object; all of it if secrets have such names."""
    return _masked(value, name, MAX_DEPTH - 1)


def _masked(value: object, key: str, depth: int) -> object:
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


def _masked_leaf(value: object, key: str) -> object:
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
    """Hide all digits but the last four; hide all digits of a number with eight or fewer."""
    hidden = len(_DIGIT.findall(number)) - _SHOWN_DIGITS
    if hidden <= _SHOWN_DIGITS:
        return _DIGIT.sub("*", number)
    return _DIGIT.sub("*", number, count=hidden)


def _is_luhn(digits: list[int]) -> bool:
    """Return whether the check digit of a card number is right (ISO/IEC 7812-1, annex B)."""
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
