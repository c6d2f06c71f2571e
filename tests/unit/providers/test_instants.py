"""Instants in every form that providers write them in."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from providers.parsing.fields import EPOCH
from providers.parsing.notes import Collector
from providers.parsing.timestamps import _USUAL, _iso, _usual, in_korea, instant, is_present, korean

NOON = 1_700_017_200_000_000  # 2023-11-15T12:00:00+09:00


@pytest.mark.parametrize(
    "text",
    [
        "2023-11-15T12:00:00+09:00",
        "2023-11-15T12:00+09:00",
        "2023-11-15T12:00+09",
        "2023-11-15T12:00:00+0900",
        "2023-11-15T03:00:00Z",
        "2023-11-15t03:00:00z",
        "2023-11-15 03:00Z",
        "2023-11-15T03:00:00.000Z",
        "2023-11-15T03:00:00.000000Z",
        "2023-11-15T03:00:00,000000000Z",
        "2023-11-15 12:00:00 +0900",
        "2023-11-15 03:00:00 UTC",
        "2023-11-15T12:00+09:00[Asia/Seoul]",
        "20231115T030000Z",
        " 2023-11-15T03:00:00Z ",
        "1700017200",
        "1700017200000",
        "1700017200000000",
        "1700017200000000000",
        "1700017200.000",
        "1.7000172E9",
        1_700_017_200,
        1_700_017_200_000,
        msgspec.Raw(b'"2023-11-15T12:00+09:00"'),
        msgspec.Raw(b"1700017200"),
        msgspec.Raw(b"1700017200.0"),
    ],
    ids=lambda changes: str(changes) if not isinstance(changes, msgspec.Raw) else bytes(changes).decode(),
)
def test_one_instant_is_read_in_each_of_its_forms(text: str | int | msgspec.Raw) -> None:
    assert instant(text, "at") == NOON


@pytest.mark.parametrize(
    "text",
    [
        "2023-11-15T12:00:00",
        "2023-11-15T12:00:00.00000",
        "2023-11-15T12:00:00.000000000",
        "2023-11-15 12:00",
        "2023.11.15 12:00",
        "2023/11/15 12:00:00",
        "20231115120000",
        "202311151200",
    ],
)
def test_without_an_offset_it_is_korean_time_at_a_korean_provider_and_nowhere_else(text: str) -> None:
    assert korean(text, "at") == NOON
    assert instant(text, "at") is None


def test_fractions_of_five_digits_are_read() -> None:
    assert korean("2026-01-02T14:46:59.65327", "at") == 1_767_332_819_653_270


def test_a_fraction_is_exact_and_never_a_float() -> None:
    assert instant(msgspec.Raw(b"1763170200.123457"), "at") == 1_763_170_200_123_457
    assert instant("2023-11-15T12:00:00.1234567899+09:00", "at") == NOON + 123_456


def test_a_leap_second_is_the_first_of_the_next_minute() -> None:
    assert instant("2016-12-31T23:59:60Z", "at") == instant("2017-01-01T00:00:00Z", "at")


def test_a_day_begins_in_korea() -> None:
    assert korean("2023-11-15", "at") == korean("20231115", "at") == NOON - 12 * 3_600_000_000


@pytest.mark.parametrize("nothing", [None, "", 0, " ", msgspec.Raw(), msgspec.Raw(b"null"), msgspec.Raw(b'""')])
def test_nothing_said_is_nothing_and_no_note(nothing: str | int | msgspec.Raw | None) -> None:
    with Collector() as notes:
        assert korean(nothing, "at") is None
    assert not is_present(nothing)
    assert notes == []


@pytest.mark.parametrize(
    "wrong",
    ["soon", "2023-W46-3", "2023-13-01", "2023-11-15T25:00", "2023-11-15+09:00", "0001-01-01", "9999-12-31",
     "2023-11-15T12:00:00+99:00", "2023-11-15T12:00:00+09:60", "2023-11-15T12:00:61Z", "2023-11-15T1:00", 10**30, -1,
     5_000_000_000, "20231315120000", "0000-00-00", "9999-12-31T23:59:59-23:59",
     "0001-01-01T00:00:00+23:59", msgspec.Raw(b"true"), msgspec.Raw(b"[1]"), msgspec.Raw(b"1e99"),
     msgspec.Raw(b"9" * 4400), msgspec.Raw(b'"\\u0000"')],
    ids=ascii,
)  # fmt: skip
def test_what_is_no_instant_of_our_time_costs_itself_and_a_note(wrong: str | int | msgspec.Raw) -> None:
    with Collector() as notes:
        assert korean(wrong, "paidAt") is None
    assert [note.split()[0] for note in notes] == ["paidAt"]
    assert is_present(wrong)


@given(st.integers(946_684_800, 4_102_444_799))
def test_what_is_written_in_korea_is_read_as_the_same(seconds: int) -> None:
    at = seconds * 1_000_000

    assert korean(in_korea(at).isoformat(), "at") == at
    assert korean(in_korea(at).strftime("%Y%m%d%H%M%S"), "at") == at


@given(st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30), timezones=st.timezones()))  # noqa: DTZ001
def test_an_offset_is_heeded(clock: datetime) -> None:
    expected = (clock.astimezone(UTC) - EPOCH) // timedelta(microseconds=1)
    if clock.utcoffset().seconds % 60 == 0:  # type: ignore[union-attr]
        assert instant(clock.isoformat(), "at") == expected


@given(st.text() | st.integers() | st.from_regex(r"\A[0-9TZ:+. -]{1,30}\Z"))
def test_anything_is_read_or_left_out(changes: str | int) -> None:
    assert korean(changes, "at") is None or 946_684_800_000_000 <= (korean(changes, "at") or 0) < 4_102_444_800_000_000


@example("2016-12-31T23:59:60Z")
@example("2023-11-15T12:00:00+09:60")
@example("2026-01-31T24:00:00Z")  # from Python 3.14 on, the standard library alone would read it
@given(
    st.from_regex(
        r"20[0-9]{2}-(0[0-9]|1[0-2])-([0-2][0-9]|30)T([01][0-9]|2[0-4]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]{1,7})?"
        r"(Z|[+-]([01][0-9]|2[0-4]):[0-6][0-9])",
        fullmatch=True,
    )
)
def test_the_standard_library_reads_an_instant_as_the_reader_of_all_forms_does(text: str) -> None:
    try:
        expected: int | None = _iso(text, None)
    except (ValueError, OverflowError):
        expected = None
    try:
        found: int | None = _usual(text) if _USUAL.fullmatch(text) else expected
    except (ValueError, OverflowError):
        found = None
    assert found == expected
