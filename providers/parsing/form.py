"""Reads form parameters as `body` reads JSON: what two readers could understand differently is refused.

Senders cut names to a number of bytes, in the middle of a letter or of its escape. That costs the letter, no more: it
becomes U+FFFD, or stays as it is written.
"""

import re
from typing import TypeVar

import msgspec

from providers.contract import InvalidField, Malformed, Received
from providers.parsing import json_body

T = TypeVar("T")

CONTENT_TYPE = "application/x-www-form-urlencoded"
KIND = "content-type"
"""The header that tells a form from JSON: kept, for without it a body cannot be read again."""

BROKEN = "\ufffd"
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_STRAY = re.compile(rb"[\x00-\x20\x7f]")


def is_form(received: Received) -> bool:
    """Whether the body is form parameters, by its Content-Type (RFC 9110 §8.3)."""
    return received.headers.get(KIND, "").strip().lower().startswith(CONTENT_TYPE)


def parameters(payload: bytes, *encodings: str) -> dict[str, str]:
    """The parameters by name, in that of the encodings in which the fewest letters are broken.

    Raises Malformed for what is no form, Unreadable for a name given twice.
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
    """The parameters as `decoder` types them. Raises as `body.read` does."""
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
