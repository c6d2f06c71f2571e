"""Replaces what JSON may contain and Postgres text cannot: a byte order mark, an unpaired surrogate, a NUL."""

import re

BOM = b"\xef\xbb\xbf"
NUL = b"\\u0000"
"""A NUL as JSON escapes it."""
ERROR_CHARS = 2000
REPLACEMENT = b"\\ufffd"

# Alternatives in order: a surrogate pair (kept), an unpaired surrogate or NUL (replaced), any other escape (kept).
_ESCAPE = re.compile(
    rb"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|(\\u(?:[dD][89a-fA-F][0-9a-fA-F]{2}|0000))|\\.",
    re.DOTALL,
)


def sanitized(body: bytes, replacement: bytes = REPLACEMENT) -> bytes:
    """Return a JSON body without a byte order mark, and `replacement` for each escaped unpaired surrogate or NUL."""
    body = body.removeprefix(BOM)
    if b"\\u" not in body:
        return body
    return _ESCAPE.sub(lambda escape: replacement if escape[2] else escape[0], body)


def error_text(text: str) -> str:
    """Return `text` as stores and topics can hold it: at most ERROR_CHARS characters, no NUL, no unpaired surrogate."""
    return without_nul(text)[:ERROR_CHARS].encode(errors="replace").decode()


def without_nul(text: str) -> str:
    """Return `text` with U+FFFD for each NUL, the only encodable character that a Postgres text cannot hold."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}")
