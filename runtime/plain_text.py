"""Escapes untrusted text for a terminal: control characters and escape sequences are shown, not executed."""

import re

_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 and C1 controls except tab and line feed; escape sequences begin with them
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"  # line separators, bidirectional marks
    "\ud800-\udfff]"  # lone surrogates, which cannot be encoded
)


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a count with its noun: `1 mail`, `2 mails`, `0 entries`. The default plural is the singular with an s."""
    return f"{count} {noun}" if count == 1 else f"{count} {plural or noun + 's'}"


def plain(text: str) -> str:
    """Return the text with control characters replaced by their escapes in hex, except tab and line feed.

    So are line separators, marks that change the direction of text, and lone surrogates.
    """
    return _CONTROL.sub(_escaped, text)


def plain_line(text: str) -> str:
    """Return `plain(text)` with line feeds escaped too, so that untrusted text cannot imitate a line of output."""
    return plain(text).replace("\n", "\\n")


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"  # noqa: PLR2004 - two digits of hex
