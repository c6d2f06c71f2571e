"""Finds the order ids in the beginning of a request body. Pure.

A refused request is not translated, and only the beginning of its body is stored, so the ids are read from the bytes
and not from a parsed value. Nothing proves them: a forged body names any order.
"""

import json
import re
from collections.abc import Iterator

from stream.events.provider_ids import unescaped

FIELDS = (
    "orderId order_id orderNumber order_number merchant_uid partner_order_id merchantPayKey client_reference_id "
    "MOID P_OID no_oid oid"
).split()
"""The fields in which providers and the shop name the shop's order, in order of preference."""
FIELDS_OF = {"portone_v2": ["paymentId"]}
"""Further fields of one provider. Elsewhere `paymentId` is the provider's own id."""
MAX_IDS = 5
MAX_LENGTH = 200
"""The longest id in characters; longer ones are ignored."""
_NAMES = "|".join(sorted({*FIELDS, *(name for names in FIELDS_OF.values() for name in names)}))
_JSON = re.compile(rf'"({_NAMES})"\s*:\s*(?:("(?:[^"\\]|\\.)*")|(\d+)(?=[\s,}}\]]))'.encode())
_FORM = re.compile(rf"(?:^|&)({_NAMES})=([^&\s]*)(?=&|$)".encode())


def find(provider: str, excerpt: bytes) -> tuple[str, ...]:
    """Return at most MAX_IDS distinct order ids from the beginning of a JSON or form body, in the order of FIELDS.

    The result is empty if there are none. A value that the end of `excerpt` cuts off is ignored.
    """
    fields = [*FIELDS, *FIELDS_OF.get(provider, ())]
    found = [(name, text) for name, text in (*_in_json(excerpt), *_in_form(excerpt)) if name in fields]
    found.sort(key=lambda pair: fields.index(pair[0]))
    valid = (text for _, text in found if 0 < len(text) <= MAX_LENGTH and text.isprintable())
    return tuple(dict.fromkeys(valid))[:MAX_IDS]


def _in_json(excerpt: bytes) -> Iterator[tuple[str, str]]:
    for name, text, number in _JSON.findall(excerpt):
        try:
            yield name.decode(), json.loads(text) if text else number.decode()
        except ValueError:  # a text that is not UTF-8, or has a wrong escape
            continue


def _in_form(excerpt: bytes) -> Iterator[tuple[str, str]]:
    for name, value in _FORM.findall(excerpt):
        yield name.decode(), unescaped(value.decode("ascii", "replace"))
