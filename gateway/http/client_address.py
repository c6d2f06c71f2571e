"""The address a request comes from: its peer, or behind a trusted proxy what that proxy says. Pure.

A proxy appends to `X-Forwarded-For` and `Forwarded` (RFC 7239), so entries are read from right to left, and the first
one that no trusted proxy has written is not believed.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Reader = Callable[[str], list[str]]

FORWARDED_FOR, FORWARDED = b"x-forwarded-for", b"forwarded"
MAPPED_BITS = 96
"""An IPv4 address in IPv6 (RFC 4291 §2.5.5.2) stands behind so many bits."""
IPV6_SOURCE_BITS = 64
"""One sender of IPv6 has at least a /64 to choose its addresses from."""

_PORT = re.compile(r"(?P<v4>[0-9.]+)(?::[0-9]{1,5})?|\[(?P<v6>[^\]]+)\](?::(?:[0-9]{1,5}|_[\w.-]+))?", re.ASCII)
_ELEMENTS = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
_FOR = re.compile(r'(?:^|;)\s*for\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;"\s]*))', re.IGNORECASE)


def networks(value: str) -> tuple[Network, ...]:
    """Read a comma-separated list of addresses and CIDR networks.

    Raises ValueError, which names the wrong entry by its place.
    """
    found = []
    for place, entry in enumerate(value.split(","), 1):
        if not (text := entry.strip()):
            continue
        try:
            network = ip_network(text.removeprefix("[").removesuffix("]"), strict=False)
        except ValueError:
            raise ValueError(f"entry {place} is neither an IP address nor a network such as 203.0.113.0/24") from None
        found.append(_unmapped_network(network))
    return tuple(found)


def contain(within: Iterable[Network], address: Address | None) -> bool:
    """Return whether one of these networks contains the address."""
    return address is not None and any(address in network for network in within)


@lru_cache(4096)
def parsed(text: str) -> Address | None:
    """An address as a peer's or a header's entry has it: perhaps with a port, in brackets, with a zone; else None."""
    if match := _PORT.fullmatch(text):
        text = match["v4"] or match["v6"]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def source(peer: str, headers: Sequence[tuple[bytes, bytes]], trusted: Sequence[Network]) -> Address | None:
    """The address a request comes from; None when the server does not know its peer (a Unix socket).

    When a request has both headers and they tell of different addresses, one of them may be the sender's own
    invention: the proxy itself is then the source.
    """
    address = parsed(peer)
    if not trusted or not contain(trusted, address):
        return address
    told = [_entries(headers, FORWARDED_FOR, _comma_separated), _entries(headers, FORWARDED, _for_parameters)]
    origins = {_origin(address, entries, trusted) for entries in told if entries}
    return origins.pop() if len(origins) == 1 else address


def limited_as(address: Address | None) -> str:
    """Return the key that a source is counted by: an IPv4 address, or the /64 of an IPv6 address."""
    if isinstance(address, IPv6Address):
        return str(int(address) >> (128 - IPV6_SOURCE_BITS))
    return str(address)


def _origin(peer: Address | None, entries: Sequence[str], trusted: Sequence[Network]) -> Address | None:
    """The right-most address that is no trusted proxy; where an entry is no address, the proxy that wrote it."""
    at = peer
    for entry in reversed(entries):
        if not contain(trusted, at):
            break
        before = parsed(entry)
        if before is None:
            break
        at = before
    return at


def _entries(headers: Sequence[tuple[bytes, bytes]], wanted: bytes, read: Reader) -> list[str]:
    """The entries of all lines of one header, in order."""
    return [entry for name, value in headers if name.lower() == wanted for entry in read(value.decode("latin-1"))]


def _comma_separated(value: str) -> list[str]:
    return [entry for part in value.split(",") if (entry := part.strip().strip('"'))]


def _for_parameters(value: str) -> list[str]:
    """The `for` of each element; one without it hides its address, as `unknown` does."""
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
