"""Reads a body of form parameters (application/x-www-form-urlencoded) as strictly as `body` reads JSON."""

import re
from collections.abc import Sequence

from providers.contract import Malformed, Unreadable

MAX_FIELDS = 1000

_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})?")


def read(raw: bytes, encodings: Sequence[str] = ("utf-8",)) -> dict[str, str]:
    """The parameters by name, in the first of `encodings` that all of the body is written in.

    Raises Malformed for what is no form or in none of the encodings; Unreadable for a name given twice and a NUL.
    """
    if not raw:
        raise Malformed("the body is empty")
    pairs = [pair.partition(b"=") for pair in raw.split(b"&", MAX_FIELDS) if pair]
    if len(pairs) >= MAX_FIELDS:
        raise Malformed(f"the body has more than {MAX_FIELDS} parameters")
    named = [(_unescaped(name), _unescaped(value)) for name, _, value in pairs]
    fields = _decoded(named, encodings)
    if len(dict(fields)) != len(fields):
        raise Unreadable("a parameter is given twice")
    if any("\x00" in text for pair in fields for text in pair):
        raise Unreadable("a parameter holds a NUL character")
    return dict(fields)


def _unescaped(part: bytes) -> bytes:
    """The bytes a part stands for (WHATWG URL §5.1)."""
    return _ESCAPED.sub(_byte, part.replace(b"+", b" "))


def _byte(escaped: re.Match[bytes]) -> bytes:
    if escaped[1] is None:
        raise Malformed("the body has a % that two hexadecimal digits do not follow")
    return bytes([int(escaped[1], 16)])


def _decoded(pairs: Sequence[tuple[bytes, bytes]], encodings: Sequence[str]) -> list[tuple[str, str]]:
    for encoding in encodings:
        try:
            return [(name.decode(encoding), value.decode(encoding)) for name, value in pairs]
        except UnicodeDecodeError:
            continue
    raise Malformed(f"the body is not written in {' or '.join(encodings)}")
