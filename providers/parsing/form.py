"""Reads form parameters as strictly as `json_body` reads JSON.

Senders cut texts to a number of bytes, in the middle of a letter or of its escape. Only that letter is lost: it becomes
U+FFFD, or its escape stays as it is.
"""

import re
from typing import TypeVar

import msgspec

from providers.contract import InvalidField, Malformed, Received
from providers.parsing import json_body

T = TypeVar("T")

CONTENT_TYPE = "application/x-www-form-urlencoded"
HEADER = "content-type"
"""The header that distinguishes a form from JSON. Providers store it, since a body cannot be read again without it."""

BROKEN = "\ufffd"
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_STRAY = re.compile(rb"[\x00-\x20\x7f]")


def is_form(received: Received) -> bool:
    """Return whether the Content-Type names form parameters (RFC 9110 §8.3)."""
    return received.headers.get(HEADER, "").strip().lower().startswith(CONTENT_TYPE)


def parameters(payload: bytes, *encodings: str) -> dict[str, str]:
    """Return form parameters by name, decoded with the encoding of `encodings` that leaves the fewest letters broken.

    The first of them decides between equals. Raises Malformed for a body that is empty or not a form, InvalidField for
    a name given twice.
    """
    if not payload:
        raise Malformed("the body is empty")
    if _STRAY.search(payload):
        raise Malformed("the body is not application/x-www-form-urlencoded")
    pairs = [_pair(part) for part in payload.split(b"&") if part]
    whole = b"&".join(part for pair in pairs for part in pair)
    encoding = min(encodings, key=lambda name: whole.decode(name, "replace").count(BROKEN))
    return _unambiguous([(name.decode(encoding, "replace"), text.decode(encoding, "replace")) for name, text in pairs])


def typed(fields: dict[str, str], decoder: msgspec.json.Decoder[T]) -> T:
    """Convert parameters to the decoder's type by the rules, and with the errors, of `json_body.read`."""
    return json_body.read(decoder, msgspec.json.encode(fields))


def _pair(part: bytes) -> tuple[bytes, bytes]:
    name, equals, value = part.partition(b"=")
    if not (name and equals):
        raise Malformed("a parameter has no name or no value")
    return _unescaped(name), _unescaped(value)


def _unescaped(text: bytes) -> bytes:
    return _ESCAPE.sub(lambda escape: bytes([int(escape[1], 16)]), text.replace(b"+", b" "))


def _unambiguous(texts: list[tuple[str, str]]) -> dict[str, str]:
    fields = dict(texts)
    if len(fields) != len(texts):
        raise InvalidField("a parameter is given twice")
    return fields
