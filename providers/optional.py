"""Optional fields: an empty one is absent, an unusable one costs no more than itself, a long text is cut.

What was left out or cut is noted, for the log of whoever received the webhook. A note never repeats the value.
"""

from typing import TypeVar

import msgspec

from providers import body
from providers.contract import Refused, Unreadable
from providers.fields import Link
from stream.events import email_address

T = TypeVar("T")

ABSENT = msgspec.Raw()
MAX_TEXT = 1000
MAX_UNUSABLE_CONTACT = 320
"""How much of an unusable contact a record holds; longer than any address, so that the cut text is none either."""

_string = msgspec.json.Decoder(str)
_link = msgspec.json.Decoder(Link)


class Optionals:
    """Reads optional fields of one body, each given as the JSON it was posted as, and collects notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def value(self, said: msgspec.Raw, decoder: msgspec.json.Decoder[T], field: str) -> T | None:
        """Return the field as `decoder` types it; None for one that is absent, empty or of another type."""
        if _is_empty(said):
            return None
        try:
            return body.read_again(decoder, bytes(said))
        except Refused:
            self.notes.append(f"{field} is ignored: it is not written as it must be")
            return None

    def text(self, said: msgspec.Raw, field: str, most: int = MAX_TEXT) -> str | None:
        """Return a text without white space around it, cut at `most` characters."""
        text = (self.value(said, _string, field) or "").strip()
        if len(text) > most:
            self.notes.append(f"{field} is cut at {most} of {len(text)} characters")
        return text[:most].rstrip() or None

    def link(self, said: msgspec.Raw, field: str) -> str | None:
        """Return an http(s) link, or a path on the shop's site."""
        return self.value(said, _link, field)

    def contact(self, said: msgspec.Raw, field: str) -> str | None:
        """Return an e-mail address in its one form (`stream.events.email_address`); None for an absent or empty one.

        An unusable one is returned as it was posted: the notifier judges again, mails nobody and lists the reason.
        Raises Unreadable for a control character.
        """
        if _is_empty(said):
            return None
        text = _as_text(said)
        if email_address.has_control_character(text):
            raise Unreadable(f"{field} holds a control character")
        try:
            return email_address.parse(text)
        except email_address.Unusable as why:
            self.notes.append(f"{field} is no address that can be mailed: {why}")
        text = text.strip()
        return text if len(text) <= MAX_UNUSABLE_CONTACT else f"{text[:MAX_UNUSABLE_CONTACT]}…"


def _is_empty(said: msgspec.Raw) -> bool:
    return bytes(said) in (b"", b"null") or not _as_text(said).strip(" ")


def _as_text(said: msgspec.Raw) -> str:
    """A text as it is, anything else as its JSON."""
    try:
        return body.read_again(_string, bytes(said))
    except Refused:
        return bytes(said).decode()
