"""Reads form parameters as strictly as `body` reads JSON: what two readers could understand differently is refused."""

import re
from typing import TypeVar

import msgspec

from providers.body import complaint
from providers.contract import Malformed, Received, Unreadable

T = TypeVar("T")

CONTENT_TYPE = "application/x-www-form-urlencoded"
KIND = "content-type"
"""The header that tells a form from JSON: kept, for without it a body cannot be read again."""

_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_STRAY = re.compile(rb"%(?![0-9A-Fa-f]{2})|[\x00-\x20\x7f]")


def is_form(received: Received) -> bool:
    """Whether the body is form parameters, by its Content-Type (RFC 9110 §8.3)."""
    return received.headers.get(KIND, "").strip().lower().startswith(CONTENT_TYPE)


def parameters(payload: bytes, *encodings: str) -> dict[str, str]:
    """The parameters by name, in the first of the encodings that all of them are written in.

    Raises Malformed for what is no form; Unreadable for a name given twice or a NUL.
    """
    if not payload:
        raise Malformed("the body is empty")
    if _STRAY.search(payload):
        raise Malformed("the body is not application/x-www-form-urlencoded")
    pairs = [_pair(part) for part in payload.split(b"&") if part]
    for encoding in encodings:
        try:
            texts = [(name.decode(encoding), value.decode(encoding)) for name, value in pairs]
        except UnicodeDecodeError:
            continue
        return _unambiguous(texts)
    raise Malformed(f"the parameters are not written in {' or '.join(encodings)}")


def typed(fields: dict[str, str], kind: type[T]) -> T:
    """The parameters as `kind` types them; raises Unreadable for a missing or mistyped one."""
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as wrong:
        raise Unreadable(complaint(str(wrong))) from wrong


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
        raise Unreadable("a parameter is given twice")
    if any("\x00" in text for pair in texts for text in pair):
        raise Unreadable("a text holds a NUL character")
    return fields
