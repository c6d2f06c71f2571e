"""Masks personal data in evidence, beside what `stream.events.text.redaction` masks everywhere.

Personal data are names, addresses, telephone numbers, and the texts of mails, which begin with a name.
"""

import re

from runtime.json_value import JsonValue
from stream.events.text.redaction import MASK, masked_value

_PERSONAL = re.compile(
    r"(customer|buyer|seller|user|receiver|recipient|sender|orderer|holder|owner|first|last|full)_?name$|^name$"
    r"|e_?mail|contact|phone|mobile|\btel\b|_tel$|address|street|city|zip|postal|birth|gender|^ip$|ip_?address"
    r"|^text$|^html$|^subject$|^title$",
    re.IGNORECASE,
)


def without_personal_data(value: JsonValue) -> JsonValue:
    """Return a copy of a JSON value with MASK for personal data, card numbers and secrets.

    Personal data are recognized by the names of fields, everything else by its form too.
    """
    return masked_value(_masked(value))


def _masked(value: JsonValue) -> JsonValue:
    match value:
        case dict():
            return {name: MASK if item and _PERSONAL.search(name) else _masked(item) for name, item in value.items()}
        case list() | tuple():
            return [_masked(item) for item in value]
        case _:
            return value
