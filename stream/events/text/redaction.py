"""Masks card numbers, secrets, e-mail addresses and telephone numbers in payloads before they are shown. Pure.

JSON is masked value by value and stays JSON; anything else is masked as text. In doubt a value is masked: so is an
order number that happens to be a valid card number. Telephone numbers are masked only in the forms of _PHONE, and not
in fields named as ids, because order ids and tracking numbers may look alike.
"""

import re

import msgspec

MASK = "***"
MAX_MASKED_DEPTH = 40
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
# A local part in quotes has at most 64 characters (RFC 5321, 4.5.3.1). Its quotes may be escaped, as in JSON.
_QUOTED_EMAIL = re.compile(r"\"(\w?)(?:[^\"\\\r\n]|\\.){0,64}?\\?\"@([\w-]+(?:\.[\w-]+)+)")
_SEPARATOR = r"(?: ?[-.\u2010-\u2015] ?| )"
_PHONE = re.compile(
    rf"(?:(?:\+|%2B)82{_SEPARATOR}?(?:\(0\) ?|0)?[1-9][0-9]?{_SEPARATOR}?[0-9]{{3,4}}{_SEPARATOR}?[0-9]{{4}}"
    # No part of a longer word or number, such as an id. In a form, an escaped character may stand before it.
    r"|(?:(?<![0-9A-Za-z_-])(?<![0-9]\.)|(?<=%[0-9A-Fa-f]{2}))(?:"
    rf"\(?0(?:2|[3-6][0-9]|1[016-9]|70|80|50[0-9])(?:\) ?|{_SEPARATOR})[0-9]{{3,4}}{_SEPARATOR}[0-9]{{4}}"
    r"|010[0-9]{8}))(?!-?[0-9A-Za-z_@]|\.[0-9])"
)
_ID_KEY = re.compile(
    r"^(?!.*(?:phone|mobile|tel|contact|cell|hp|customer|buyer|user|receiver|sender)).*(?:id|number|no|num|key|code)s?$",
    re.IGNORECASE,
)
_CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_PAIR = re.compile(r"(?<![\w.\[\]-])([\w.\[\]-]+)(=|\"\s*:\s*\")([^&\s\"]+)")
_KEY_BEFORE = re.compile(r"([\w.\[\]-]+)(?:=|\"\s*:\s*\")\Z")
_MAX_KEY_CHARS = 60
_SHOWN_DIGITS = 4
_DIGIT = re.compile(r"\d")


def redacted(payload: bytes) -> object:
    """Return the masked payload: a JSON value if it is JSON, else text of at most MAX_TEXT_CHARS characters."""
    try:
        value = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return masked_text(payload.decode(errors="replace")[:MAX_TEXT_CHARS])
    return _masked(value, "", MAX_MASKED_DEPTH)


def masked_text(text: str) -> str:
    """Return a text with secrets, card numbers, addresses and telephone numbers masked, such as an error or a form.

    A secret is recognized only by the name before it, as in `token=…` or `"token": "…"`.
    """
    return masked_id(_PHONE.sub(_masked_phone, text))


def masked_id(text: str) -> str:
    """Return an id masked as `masked_text` masks it, except that telephone numbers stay: ids may look like them."""
    text = _QUOTED_EMAIL.sub(rf'"\1{MASK}"@\2', text)
    text = _PAIR.sub(lambda pair: pair[1] + pair[2] + _masked_pair(pair[1], pair[3]), text)
    return _CARD.sub(_masked_card, _EMAIL.sub(rf"\1{MASK}@\2", text))


def masked_value(value: object) -> object:
    """Return a decoded JSON value, masked; values below MAX_MASKED_DEPTH levels become "…"."""
    return _masked(value, "", MAX_MASKED_DEPTH)


def masked_field(name: str, value: object) -> object:
    """Return a decoded JSON value, masked as the field `name` of an object; all of it if secrets have such names."""
    return _masked(value, name, MAX_MASKED_DEPTH - 1)


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
    shown = _shown(text, key)
    return value if shown == text else shown


def _shown(text: str, key: str) -> str:
    if _CARD_KEY.search(key):
        return _hidden_digits(text)
    return masked_id(text) if _ID_KEY.search(key) else masked_text(text)


def _is_card(key: str) -> bool:
    return key.lower() in ("card", "creditcard", "credit_card")


def _masked_pair(key: str, value: str) -> str:
    if _SECRET_KEY.search(key):
        return MASK
    return _hidden_digits(value) if _CARD_KEY.search(key) else value


def _masked_phone(found: re.Match[str]) -> str:
    before = found.string[max(0, found.start() - _MAX_KEY_CHARS) : found.start()]
    key = _KEY_BEFORE.search(before)
    return found[0] if key and _ID_KEY.search(key[1]) else MASK


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
