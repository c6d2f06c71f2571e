"""Instants as Korean providers write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.contract import Unreadable
from providers.instants import in_korea, korean, korean_digits

NOON = 1_700_017_200_000_000  # 2023-11-15T12:00:00+09:00


@pytest.mark.parametrize(
    "text",
    [
        "2023-11-15T12:00:00+09:00",
        "2023-11-15T03:00:00Z",
        "2023-11-15T12:00:00+0900",
        "2023-11-15T12:00:00",
        "2023-11-15T12:00:00.00000",
        "2023-11-15T12:00:00.000000000",
        "2023-11-15 12:00",
    ],
)
def test_without_an_offset_it_is_korean_time(text: str) -> None:
    assert korean(text, "at") == NOON


def test_fractions_of_five_digits_are_read() -> None:
    assert korean("2026-01-02T14:46:59.65327", "at") == 1_767_332_819_653_270


def test_a_day_begins_in_korea() -> None:
    assert korean("2023-11-15", "at") == NOON - 12 * 3_600_000_000


def test_unix_seconds_and_bare_digits() -> None:
    assert korean(NOON // 1_000_000, "at") == korean_digits("20231115120000", "at") == NOON


@pytest.mark.parametrize("nothing", [None, "", 0])
def test_nothing_said_is_nothing(nothing: str | int | None) -> None:
    assert korean(nothing, "at") is None
    assert korean_digits("", "at") is None


@pytest.mark.parametrize(
    "wrong",
    ["soon", "20231115", "2023-W46-3", "2023-13-01", "2023-11-15T25:00", "2023-11-15+09:00", "0001-01-01", "9999-12-31",
     "2023-11-15T12:00:00 ", "2023-11-15T12:00:00+99:00", 10**30, -1, 5_000_000_000],
)  # fmt: skip
def test_what_is_no_instant_of_our_time_is_unreadable(wrong: str | int) -> None:
    with pytest.raises(Unreadable, match="paidAt"):
        korean(wrong, "paidAt")


@pytest.mark.parametrize("wrong", ["2023111512000", "20231315120000", "20231115 20000", "00000000000000"])
def test_digits_that_are_no_instant_are_unreadable(wrong: str) -> None:
    with pytest.raises(Unreadable, match="dt_trans"):
        korean_digits(wrong, "dt_trans")


@given(st.integers(946_684_800, 4_102_444_799))
def test_what_is_written_in_korea_is_read_as_the_same(seconds: int) -> None:
    at = seconds * 1_000_000

    assert korean(in_korea(at).isoformat(), "at") == at
    assert korean_digits(in_korea(at).strftime("%Y%m%d%H%M%S"), "at") == at


@given(st.text() | st.integers())
def test_anything_is_read_or_refused(said: str | int) -> None:
    try:
        korean(said, "at")
    except Unreadable:
        return
