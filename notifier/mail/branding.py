"""The sender and the shop that a mail shows: MAIL_FROM, SHOP_NAME and SHOP_URL."""

import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from runtime.confidential import urls
from stream.events.text import email_address

_NAMED = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>")


@dataclass(frozen=True, slots=True)
class Branding:
    """The sender's address and name, and the shop's name and site.

    `shop_url` is the base of relative links.
    """

    address: str
    sender_name: str = ""
    shop_name: str | None = None
    shop_url: str | None = None

    @property
    def display_name(self) -> str:
        """The name shown beside the sender's address: that in MAIL_FROM, else the shop's; empty without either."""
        return self.sender_name or self.shop_name or ""

    @property
    def domain(self) -> str:
        return self.address.partition("@")[2]

    def absolute(self, link: str | None) -> str | None:
        """Return `link` as an http(s) URL, relative to `shop_url`.

        None without a link, for a path if `shop_url` is not set, and for a URL of another scheme or with a wrong host.
        """
        if not link:
            return None
        try:
            joined = urljoin(self.shop_url or "", link)
            return joined if urlsplit(joined).scheme in ("http", "https") else None
        except ValueError:  # brackets that are no IPv6 address
            return None


def parse_sender(text: str) -> tuple[str, str]:
    """Return the name and address in `My Shop <mail@shop.example>` or a bare address; the name may be empty.

    Raises ValueError, with a message for the operator, if the address is not usable or not ASCII, or if `check_name`
    refuses the text.
    """
    check_name(text)
    match = _NAMED.fullmatch(text.strip())
    name, given = (match["name"].strip(), match["address"]) if match else ("", text)
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = name[1:-1].replace('\\"', '"').replace("\\\\", "\\").strip()
    try:
        address = email_address.parse(given, allow_dotless=True)
    except email_address.Unusable as error:
        raise ValueError(f"it must be an address, or My Shop <mail@shop.example>: {error}") from error
    if not address.isascii():
        raise ValueError("its address must be ASCII before the @, because most mail servers accept no other senders")
    return name, address


def check_name(name: str) -> None:
    """Raise ValueError, with a message for the operator, if a mail header cannot show `name` unchanged."""
    if email_address.has_control_character(name):
        raise ValueError("it holds a control character")
    if "\u2028" in name or "\u2029" in name:
        raise ValueError("it holds a line break")
    if "=?" in name:
        raise ValueError("it holds =?, which mail programs decode to something else")


def parse_shop_url(text: str) -> str:
    """Return the shop's URL, with a trailing slash if it is a bare host.

    Raises ValueError, with a message for the operator, if it is not an http(s) URL with a host.
    """
    parts = urls.split(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[\s\"<>]", text):
        raise ValueError("it must be the shop's address, such as https://shop.example")
    return text if parts.path else f"{text}/"
