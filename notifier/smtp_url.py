"""Parse SMTP_URL and SMTP_CA: the mail server, its login and its TLS mode."""

import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal, get_args
from urllib.parse import parse_qs, unquote

from runtime.confidential import urls

Tls = Literal["implicit", "required", "offered", "off"]
"""TLS from the first byte; STARTTLS required; STARTTLS if offered; never."""
TlsOption = Literal["required", "off"]
"""Values of `?tls=`. The default is `required` with a user and a host other than loopback, else `offered`."""
PEM = "-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class SmtpUrl:
    """A parsed SMTP_URL. `port` 0 stands for the default port, 25 or 465."""

    host: str
    port: int
    user: str | None
    password: str
    tls: Tls

    @property
    def name(self) -> str:
        """Host and port for logs and errors, without user and password."""
        return f"{self.host}:{self.port or (465 if self.tls == 'implicit' else 25)}"


def parse(url: str) -> SmtpUrl:
    """Parse SMTP_URL. Raises ValueError with a message for the operator that does not repeat the URL."""
    parts = urls.split(url)
    if parts.scheme not in ("smtp", "smtps"):
        raise ValueError("it must begin with smtp:// or smtps://")
    if not parts.hostname:
        raise ValueError("it names no host: smtp://[user:password@]host:port")
    if parts.path not in ("", "/") or parts.fragment:
        raise ValueError("it has something after the port; write / ? # and @ in a password as %2F %3F %23 %40")
    user = unquote(parts.username) if parts.username else None
    tls = _tls(parts.scheme, parts.query, has_secret=user is not None and not _is_loopback(parts.hostname))
    return SmtpUrl(parts.hostname, parts.port or 0, user, unquote(parts.password or ""), tls)


def trust(ca: str | None) -> ssl.SSLContext:
    """Return a context that verifies certificates and host names with the system's authorities, or with those in `ca`.

    `ca` is the path of a PEM file, or PEM text. Raises ValueError with a message for the operator.
    """
    try:
        if ca and ca.startswith(PEM):
            return ssl.create_default_context(cadata=ca)
        return ssl.create_default_context(cafile=ca)
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        why = getattr(error, "strerror", None) or error
        raise ValueError(f"it must name a readable file of PEM certificates ({why})") from error


def _tls(scheme: str, query: str, *, has_secret: bool) -> Tls:
    try:
        options = parse_qs(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        options = {"": [""]}
    option = options.pop("tls", [None])[-1]
    if options or option not in (None, *get_args(TlsOption)):
        raise ValueError("the only options after the ? are tls=required or tls=off")
    if scheme == "smtps":
        if option == "off":
            raise ValueError("smtps:// always uses TLS, which ?tls=off forbids; write smtp://")
        return "implicit"
    if option == "off":
        return "off"
    return "required" if option == "required" or has_secret else "offered"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
