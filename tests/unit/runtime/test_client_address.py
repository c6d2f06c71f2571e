"""The client address: the peer's, or the one that a trusted proxy names; headers are read from right to left."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.http.client_address import networks, parse, rate_limit_key, source

PROXIES = networks("10.0.0.0/8, 2001:db8:ffff::/48")
PEER = "10.0.0.1"
SENDER = "203.0.113.7"


def seen(peer: str = PEER, **headers: str | list[str]) -> str:
    """The source of a request with these headers, each given once or as several lines."""
    lines = [
        (name.replace("_", "-").encode(), line.encode("latin-1"))
        for name, value in headers.items()
        for line in ([value] if isinstance(value, str) else value)
    ]
    return str(source(peer, lines, PROXIES))


def test_without_a_proxy_it_is_the_peer_whatever_its_headers_say() -> None:
    assert seen("198.51.100.1", x_forwarded_for=SENDER, forwarded=f"for={SENDER}") == "198.51.100.1"


@pytest.mark.parametrize(
    ("header", "origin"),
    [
        (SENDER, SENDER),
        (f"{SENDER}:4711", SENDER),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("::ffff:203.0.113.7", SENDER),
        ("[::ffff:203.0.113.7]:80", SENDER),
        ("fe80::1%eth0", "fe80::1"),
        (f"1.1.1.1, {SENDER}", SENDER),
        (f"{SENDER}, 10.2.3.4, 10.9.9.9", SENDER),
        (f"1.1.1.1, {SENDER}, 2001:db8:ffff::1", SENDER),
        ("10.2.3.4", "10.2.3.4"),
        (f"{SENDER}, unknown", PEER),
        (f"{SENDER}, not an address, 10.2.3.4", "10.2.3.4"),
        (f" ,{SENDER}, ,", SENDER),
        ("", PEER),
        ("999.1.1.1", PEER),
    ],
)
def test_x_forwarded_for_is_read_from_right_to_left_past_trusted_proxies_alone(header: str, origin: str) -> None:
    assert seen(x_forwarded_for=header) == origin


def test_several_lines_of_a_header_are_one_list() -> None:
    assert seen(x_forwarded_for=["1.1.1.1", f"{SENDER}, 10.2.3.4"]) == SENDER
    assert seen(forwarded=["for=1.1.1.1", f"for={SENDER}"]) == SENDER


@pytest.mark.parametrize(
    ("header", "origin"),
    [
        (f"for={SENDER}", SENDER),
        (f"For={SENDER};proto=https;by=10.0.0.1", SENDER),
        (f"proto=https ; for={SENDER}", SENDER),
        (f'for="{SENDER}:4711"', SENDER),
        ('for="[2001:db8::7]:4711"', "2001:db8::7"),
        ('for="[2001:db8::7]"', "2001:db8::7"),
        (f"for=1.1.1.1, for={SENDER}, for=10.2.3.4", SENDER),
        (f"for={SENDER}, for=_hidden", PEER),
        (f"for={SENDER}, for=unknown", PEER),
        (f"for={SENDER}, proto=https", PEER),
        (f'for=1.1.1.1;host="a,b;for=2.2.2.2", for={SENDER}', SENDER),
        ("nonsense", PEER),
        ("", PEER),
    ],
)
def test_forwarded_is_read_as_rfc_7239_writes_it(header: str, origin: str) -> None:
    assert seen(forwarded=header) == origin


def test_two_headers_that_disagree_are_not_believed() -> None:
    """A proxy writes one of them and passes on what its client put into the other."""
    assert seen(x_forwarded_for=SENDER, forwarded="for=1.1.1.1") == PEER
    assert seen(x_forwarded_for=SENDER, forwarded=f"for={SENDER}") == SENDER


@given(st.text(), st.text())
def test_no_header_breaks_the_reading(forwarded: str, forwarded_for: str) -> None:
    lines = [(b"forwarded", forwarded.encode()), (b"x-forwarded-for", forwarded_for.encode())]

    source(PEER, lines, PROXIES)
    source(forwarded, lines, PROXIES)


@given(st.lists(st.ip_addresses(), max_size=5))
def test_a_client_cannot_choose_its_address_by_what_it_puts_in_front(invented: list[object]) -> None:
    assert seen(x_forwarded_for=", ".join([*map(str, invented), SENDER])) == SENDER


def test_a_peer_may_be_an_ipv4_address_in_ipv6_or_unknown() -> None:
    assert seen("::ffff:10.0.0.1", x_forwarded_for=SENDER) == SENDER
    assert source("", [], PROXIES) is None


def test_an_ipv6_sender_is_counted_by_its_64() -> None:
    one, neighbour, other = map(ip_address, ("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"))

    assert rate_limit_key(one) == rate_limit_key(neighbour) != rate_limit_key(other)
    assert rate_limit_key(ip_address(SENDER)) != rate_limit_key(ip_address("203.0.113.8"))
    assert parse("::ffff:203.0.113.7") == ip_address(SENDER)
