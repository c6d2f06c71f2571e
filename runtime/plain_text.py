"""Text from outside as a terminal may show it: what would steer the terminal stands there as text."""

import re

_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 and C1 controls but for tab and line feed; escape sequences begin with these
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"  # separators of lines, marks that turn the direction of writing
    "\ud800-\udfff]"  # halves of letters, which no encoding can write
)


def plain(text: str) -> str:
    """The text with each control character but tab and line feed written as an escape."""
    return _STEERING.sub(_escaped, text)


def plain_line(text: str) -> str:
    """The same in one line, so that no text from outside looks like a line of ours."""
    return plain(text).replace("\n", "\\n")


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"  # noqa: PLR2004 - two digits of hex
