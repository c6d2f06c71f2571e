"""SMTP_URL and SMTP_CA: which mail server, as whom, and how its connection is secured."""

import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal, get_args
from urllib.parse import parse_qs, unquote, urlsplit

Tls = Literal["implicit", "required", "offered", "off"]
"""TLS from the first byte, STARTTLS or nothing, STARTTLS where it is offered, never."""
Wish = Literal["required", "off"]
"""Values of `?tls=`. The default is `required` with a user and a host other than loopback, else `offered`."""
PEM = "-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class SmtpUrl:
    """`port` 0 is the scheme's usual one, 25 or 465."""

    host: str
    port: int
    user: str | None
    password: str
    tls: Tls

    @property
    def name(self) -> str:
        """The server as people read it, without user and password."""
        return f"{self.host}:{self.port or (465 if self.tls == 'implicit' else 25)}"


def parse(url: str) -> SmtpUrl:
    """Read SMTP_URL. Raises ValueError with a sentence for people, which does not repeat the URL."""
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps"):
        raise ValueError("it must begin with smtp:// or smtps://")
    if not parts.hostname:
        raise ValueError("it names no host: smtp://[user:password@]host:port")
    try:
        port = parts.port or 0
    except ValueError as wrong:
        raise ValueError("its port must be a number up to 65535") from wrong
    if parts.path not in ("", "/") or parts.fragment:
        raise ValueError("it has something after the port; write / ? # and @ in a password as %2F %3F %23 %40")
    user = unquote(parts.username) if parts.username else None
    tls = _tls(parts.scheme, parts.query, must_hide=user is not None and not _is_loopback(parts.hostname))
    return SmtpUrl(parts.hostname, port, user, unquote(parts.password or ""), tls)


def trust(ca: str | None) -> ssl.SSLContext:
    """Return a context that verifies certificates and host names, by the system's authorities or by those in `ca`.

    `ca` is the path of a PEM file, or the PEM itself. Raises ValueError with a sentence for people.
    """
    try:
        if ca and ca.startswith(PEM):
            return ssl.create_default_context(cadata=ca)
        return ssl.create_default_context(cafile=ca)
    except (OSError, ValueError) as wrong:  # an SSLError is an OSError
        why = getattr(wrong, "strerror", None) or wrong
        raise ValueError(f"it must name a readable file of PEM certificates ({why})") from wrong


def _tls(scheme: str, query: str, *, must_hide: bool) -> Tls:
    try:
        options = parse_qs(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        options = {"": [""]}
    wish = options.pop("tls", [None])[-1]
    if options or wish not in (None, *get_args(Wish)):
        raise ValueError("after the ? only tls=required or tls=off may stand")
    if scheme == "smtps":
        if wish == "off":
            raise ValueError("smtps:// is TLS, which ?tls=off forbids; write smtp://")
        return "implicit"
    if wish == "off":
        return "off"
    return "required" if wish == "required" or must_hide else "offered"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
