"""Times, durations and amounts as people read them."""

import pytest

from console.web.rendering import formatting
from console.web.rendering.texts import catalogue


def test_a_time_is_in_the_viewers_zone_with_utc_in_the_title() -> None:
    tag = formatting.time_tag(1_700_000_000_123_456, formatting.zone("Asia/Seoul"))

    assert tag == (
        '<time datetime="2023-11-14T22:13:20.123456+00:00" title="2023-11-14 22:13:20.123456 UTC">'
        "2023-11-15 07:13:20</time>"
    )
    assert formatting.time_tag(None, formatting.zone("UTC")) == formatting.NONE
    assert formatting.time_tag(2**63, formatting.zone("UTC")) == formatting.NONE


def test_the_hour_and_minute_of_a_time_outside_the_calendar_is_not_shown() -> None:
    assert formatting.clock(1_700_000_000_123_456, formatting.zone("Asia/Seoul")) == "07:13"
    assert formatting.clock(2**63, formatting.zone("UTC")) == formatting.NONE


@pytest.mark.parametrize("name", ["", "Nowhere", "../etc/passwd", "/etc/passwd", "\0"])
def test_an_unknown_zone_is_utc(name: str) -> None:
    assert formatting.zone(name).key == "UTC"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.85, "850 ms"),
        (3.24, "3.2 s"),
        (312, "5 min 12 s"),
        (60, "1 min"),
        (11_400, "3 h 10 min"),
        (187_200, "2 d 4 h"),
        (59.99, "60.0 s"),
        (None, formatting.NONE),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float | None, text: str) -> None:
    assert catalogue().duration("en", seconds) == text


def test_a_duration_has_korean_units_in_korean() -> None:
    assert catalogue().duration("ko", 536) == "8분 56초"


def test_amounts_are_written_in_their_currency() -> None:
    assert formatting.money(58_000, "KRW") == "58,000 KRW"
    assert formatting.money(1999, "USD") == "19.99 USD"
    assert formatting.money("0.5", "BTC") == "0.5 BTC"
    assert formatting.money(None, "KRW") == formatting.NONE
