"""Finds the client address of a request: its peer's, or behind a trusted proxy the address that the proxy names. Pure.

A proxy appends to `X-Forwarded-For` and `Forwarded` (RFC 7239). Entries are therefore read from right to left, as long
as a trusted proxy has written them.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated

from pydantic import AfterValidator

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Reader = Callable[[str], list[str]]
"""Splits the value of a header into the addresses that proxies appended, in their order."""

FORWARDED_FOR, FORWARDED = b"x-forwarded-for", b"forwarded"
MAPPED_BITS = 96
"""The prefix length of IPv4-mapped IPv6 addresses (RFC 4291 §2.5.5.2)."""
IPV6_SOURCE_BITS = 64
"""A prefix length: an IPv6 client has at least a /64 of addresses, so all of them count as one source."""

_PORT = re.compile(r"(?P<v4>[0-9.]+)(?::[0-9]{1,5})?|\[(?P<v6>[^\]]+)\](?::(?:[0-9]{1,5}|_[\w.-]+))?", re.ASCII)
_ELEMENTS = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
_FOR = re.compile(r'(?:^|;)\s*for\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;"\s]*))', re.IGNORECASE)


def networks(value: str) -> tuple[Network, ...]:
    """Return the networks of a comma-separated list of addresses and CIDR networks, without empty entries.

    An address becomes a network of one address, an IPv4-mapped network its IPv4 network. Raises ValueError with the
    number of the wrong entry, counted from 1.
    """
    found = []
    for number, entry in enumerate(value.split(","), 1):
        if not (text := entry.strip()):
            continue
        try:
            network = ip_network(text.removeprefix("[").removesuffix("]"), strict=False)
        except ValueError:
            raise ValueError(f"entry {number} is neither an IP address nor a network such as 203.0.113.0/24") from None
        found.append(_unmapped_network(network))
    return tuple(found)


def _readable(value: str) -> str:
    networks(value)
    return value


NetworkList = Annotated[str, AfterValidator(_readable)]
"""A setting: IP addresses and networks, comma-separated."""


def contain(networks: Iterable[Network], address: Address | None) -> bool:
    """Return whether any of these networks contains the address; False for None."""
    return address is not None and any(address in network for network in networks)


@lru_cache(4096)
def parse(text: str) -> Address | None:
    """Return the IP address that a text is, without its port, brackets and zone; None for any other text.

    An IPv4-mapped IPv6 address becomes the IPv4 address.
    """
    if match := _PORT.fullmatch(text):
        text = match["v4"] or match["v6"]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def source(peer: str, headers: Sequence[tuple[bytes, bytes]], trusted: Sequence[Network]) -> Address | None:
    """Return the client address of a request; None if `peer` is no IP address (a Unix socket).

    The headers count only if `peer` is in `trusted`. The client is then the last address in a header that is not in
    `trusted`, or the proxy that wrote an unreadable entry. If both headers are present and lead to different addresses,
    one may be forged, so `peer` is returned.
    """
    address = parse(peer)
    if not trusted or not contain(trusted, address):
        return address
    lists = [_entries(headers, FORWARDED_FOR, _comma_separated), _entries(headers, FORWARDED, _for_parameters)]
    origins = {_origin(address, entries, trusted) for entries in lists if entries}
    return origins.pop() if len(origins) == 1 else address


@lru_cache(4096)
def rate_limit_key(address: Address | None) -> str:
    """Return the key by which a source is rate limited: one for each IPv4 address and each IPv6 /64, one for None."""
    if isinstance(address, IPv6Address):
        return str(int(address) >> (128 - IPV6_SOURCE_BITS))
    return str(address)


def shown(address: Address | None) -> str | None:
    """Return a source as people read it: an IPv4 address, or an IPv6 network such as 2001:db8::/64; None for None."""
    if isinstance(address, IPv6Address):
        return str(IPv6Network(f"{address}/{IPV6_SOURCE_BITS}", strict=False))
    return None if address is None else str(address)


def _origin(peer: Address | None, entries: Sequence[str], trusted: Sequence[Network]) -> Address | None:
    """Return the right-most address that is not a trusted proxy's, or the proxy that wrote an unreadable entry.

    `peer` is the address after all entries; None if it is None.
    """
    origin = peer
    for entry in reversed(entries):
        if not contain(trusted, origin):
            break
        address = parse(entry)
        if address is None:
            break
        origin = address
    return origin


def _entries(headers: Sequence[tuple[bytes, bytes]], wanted: bytes, read: Reader) -> list[str]:
    """Return the entries of all occurrences of the header `wanted`, in order."""
    return [entry for name, value in headers if name.lower() == wanted for entry in read(value.decode("latin-1"))]


def _comma_separated(value: str) -> list[str]:
    return [entry for part in value.split(",") if (entry := part.strip().strip('"'))]


def _for_parameters(value: str) -> list[str]:
    """Return the `for` parameter of each element; `unknown` for an element without one (RFC 7239 §6.2)."""
    found = []
    for element in _ELEMENTS.findall(value):
        if element.strip():
            match = _FOR.search(element)
            found.append(_unquoted(match) if match else "unknown")
    return found


def _unquoted(match: re.Match[str]) -> str:
    return re.sub(r"\\(.)", r"\1", match[1]) if match[1] is not None else match[2]


def _unmapped_network(network: Network) -> Network:
    if isinstance(network, IPv6Network) and network.prefixlen >= MAPPED_BITS:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((mapped, network.prefixlen - MAPPED_BITS))
    return network
