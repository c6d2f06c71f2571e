"""Write a mail as bytes: its headers, and equal text and HTML parts.

The email package takes 50 times as long, because it parses each header it is given.
"""

from binascii import b2a_base64
from dataclasses import dataclass
from functools import lru_cache

CRLF = "\r\n"
BOUNDARY = "=_hookstream"
"""Separates the parts. Base64 has no `_`, so no part contains it."""
LINE = 76
"""Maximum length of a line of base64, and of a line with an encoded word (RFC 2045 §6.8, RFC 2047 §2)."""
HEADER_LINE = 78
WORD = 75
PREFIX, SUFFIX = "=?utf-8?b?", "?="
_SPECIALS = frozenset('()<>[]:;@\\,."')


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail without its To header, which `notifier.sending.smtp` adds to match RCPT.

    `date` is formatted as in a header; `language` is the value of Content-Language.
    """

    sender_name: str
    sender: str
    subject: str
    message_id: str
    language: str
    date: str
    text: str
    html: str

    def as_bytes(self, *, international: bool = False) -> bytes:
        """Return the mail in lines of at most 78 characters, in ASCII unless it is `international`.

        The headers of an international mail are UTF-8 (RFC 6532); this is for recipients whose address is not ASCII.
        Raises ValueError if a header contains a line break or a lone surrogate.
        """
        headers = (
            text_header("Subject", self.subject, international=international),
            sender_header(self.sender_name, self.sender, international=international),
            f"Message-ID: {self.message_id}",
            f"Date: {self.date}",
            f"Content-Language: {self.language}",
            "MIME-Version: 1.0",
            f'Content-Type: multipart/alternative; boundary="{BOUNDARY}"',
        )
        parts = (_part("plain", self.text), _part("html", self.html), f"--{BOUNDARY}--")
        return CRLF.join((*headers, "", *parts, "")).encode()


def text_header(name: str, value: str, *, international: bool = False) -> str:
    """Return a header of free text, which mail programs decode to `value`.

    Mail programs decode anything that looks like an encoded word (RFC 2047), which could add headers. So a value is
    encoded if it contains `=?`, is not ASCII, or is too long for a line. Raises ValueError if it contains a line break.
    """
    _refuse_line_breaks(value)
    line = f"{name}: {value}"
    if len(line) <= HEADER_LINE and _needs_no_encoding(value, international=international):
        return line
    return f"{name}: {_encoded_words(value, len(name) + 2)}"


@lru_cache
def sender_header(name: str, address: str, *, international: bool = False) -> str:
    """Return the From header for an ASCII address, with `name` as the display name unless it is empty.

    Raises ValueError if `name` contains a line break.
    """
    _refuse_line_breaks(name)
    if not name:
        return f"From: {address}"
    if not _needs_no_encoding(name, international=international) or len(name) + len("From: ") > HEADER_LINE:
        written = _encoded_words(name, len("From: "))
    elif _SPECIALS.isdisjoint(name):
        written = name
    else:
        written = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    last_line = written[written.rfind("\n") + 1 :]
    fits = len(f"From: {last_line} <{address}>") <= HEADER_LINE
    return f"From: {written}{'' if fits else CRLF} <{address}>"


def _needs_no_encoding(value: str, *, international: bool) -> bool:
    """Return whether mail programs show `value` unchanged: no encoded word, no space they may drop."""
    is_plain = value.isprintable() and (international or value.isascii())
    return is_plain and "=?" not in value and value == " ".join(value.split())


def _encoded_words(value: str, column: int) -> str:
    """Return `value` as encoded words, one per line, each of whole characters.

    `column` is the number of characters before the first word on its line.
    """
    words, octets = [], b""
    room = _octets(LINE - column)
    for character in value:
        encoded = character.encode()
        if len(octets) + len(encoded) > room:
            words.append(octets)
            octets, room = b"", _octets(WORD)
        octets += encoded
    words.append(octets)
    return f"{CRLF} ".join(f"{PREFIX}{b2a_base64(word, newline=False).decode()}{SUFFIX}" for word in words)


def _octets(characters: int) -> int:
    """Return how many octets fit in an encoded word of `characters` characters."""
    return (characters - len(PREFIX) - len(SUFFIX)) // 4 * 3


def _refuse_line_breaks(value: str) -> None:
    if "\r" in value or "\n" in value:
        raise ValueError("a header holds a line break")


def _part(subtype: str, content: str) -> str:
    """Return a part in base64: mail servers do not change it, its lines are short and none begins with a dot."""
    encoded = b2a_base64(content.replace("\n", CRLF).encode(), newline=False).decode()
    lines = [encoded[start : start + LINE] for start in range(0, len(encoded), LINE)]
    kind = f'Content-Type: text/{subtype}; charset="utf-8"'
    return CRLF.join((f"--{BOUNDARY}", kind, "Content-Transfer-Encoding: base64", "", *lines))
