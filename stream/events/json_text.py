"""Replaces what JSON bodies may hold and Postgres cannot: a byte order mark, half a surrogate pair, a NUL."""

import re

BOM = b"\xef\xbb\xbf"
NUL = b"\\u0000"
"""A NUL as JSON escapes it."""
ERROR_CHARS = 2000
REPLACEMENT = b"\\ufffd"

# In this order: a whole pair stays, half a pair or a NUL does not, any other escape stays.
_ESCAPE = re.compile(
    rb"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|(\\u(?:[dD][89a-fA-F][0-9a-fA-F]{2}|0000))|\\.",
    re.DOTALL,
)


def sanitized(body: bytes, replacement: bytes = REPLACEMENT) -> bytes:
    """The body without a byte order mark, and with `replacement` for each escaped half of a pair or NUL."""
    body = body.removeprefix(BOM)
    if b"\\u" not in body:
        return body
    return _ESCAPE.sub(lambda escape: replacement if escape[2] else escape[0], body)


def error_text(text: str) -> str:
    """Return an error's text as a store and a topic can keep it: at most ERROR_CHARS, no NUL, no unpaired surrogate."""
    return text.replace("\x00", "")[:ERROR_CHARS].encode(errors="replace").decode()
