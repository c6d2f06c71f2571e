"""Times as text are in UTC and say so, whatever the zone of the machine or of the database."""

from datetime import datetime, timedelta, timezone

from runtime.clock import micros_text, utc_text

KST = timezone(timedelta(hours=9))


def test_a_time_is_shown_in_utc_with_its_offset() -> None:
    assert utc_text(datetime(2026, 2, 3, 9, 0, 0, 5, KST)) == "2026-02-03T00:00:00.000005Z"
    assert micros_text(0) == "1970-01-01T00:00:00Z"


def test_a_time_outside_the_calendar_is_none() -> None:
    assert micros_text(None) is None
    assert micros_text(2**63) is None
