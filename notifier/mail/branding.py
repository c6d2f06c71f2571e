"""The sender of mails: MAIL_FROM, SHOP_NAME and SHOP_URL."""

import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from stream.events import email_address

_NAMED = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>")


@dataclass(frozen=True, slots=True)
class Branding:
    """`address` sends the mails, under `sender_name` where there is one; `shop_url` is where relative links start."""

    address: str
    sender_name: str = ""
    shop_name: str | None = None
    shop_url: str | None = None

    @property
    def display_name(self) -> str:
        """The name beside the address; empty where nobody gave one."""
        return self.sender_name or self.shop_name or ""

    @property
    def domain(self) -> str:
        return self.address.partition("@")[2]

    def absolute(self, link: str | None) -> str | None:
        """Return a link that works from a mail; None for a path while the shop's address is not known."""
        if not link:
            return None
        joined = urljoin(self.shop_url or "", link)
        return joined if urlsplit(joined).scheme in ("http", "https") else None


def parse_sender(text: str) -> tuple[str, str]:
    """Return name and address of `My Shop <mail@shop.example>` or of a bare address.

    Raises ValueError with a sentence for people.
    """
    check_name(text)
    named = _NAMED.fullmatch(text.strip())
    name, given = (named["name"].strip(), named["address"]) if named else ("", text)
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = name[1:-1].replace('\\"', '"').replace("\\\\", "\\").strip()
    try:
        address = email_address.parse(given, allow_dotless=True)
    except email_address.Unusable as why:
        raise ValueError(f"it must be an address, or My Shop <mail@shop.example>: {why}") from why
    if not address.isascii():
        raise ValueError("its address must be ASCII before the @, for most mail servers know no other senders")
    return name, address


def check_name(name: str) -> None:
    """Raise ValueError, with a sentence, for a name that a mail's header would not show as it is."""
    if email_address.has_control_character(name):
        raise ValueError("it holds a control character")
    if "\u2028" in name or "\u2029" in name:
        raise ValueError("it holds a line break")
    if "=?" in name:
        raise ValueError("it holds =?, which mail programs decode to something else")


def parse_shop_url(text: str) -> str:
    """Return the shop's address, ended by a slash where it is a bare host. Raises ValueError with a sentence."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[\s\"<>]", text):
        raise ValueError("it must be the shop's address, such as https://shop.example")
    return text if parts.path else f"{text}/"
