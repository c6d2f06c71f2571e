"""Time as in the records: whole microseconds since 1970 UTC."""

import time
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_US = 24 * 3600 * 1_000_000


def now() -> int:
    """Return this machine's time in microseconds since 1970 UTC."""
    return time.time_ns() // 1000


def to_datetime(at: int | None) -> datetime | None:
    """Return a datetime in UTC for microseconds since 1970 UTC; None for None.

    Raises OverflowError for a time outside the calendar (the years 1 to 9999).
    """
    return None if at is None else EPOCH + timedelta(microseconds=at)


def utc_text(instant: datetime) -> str:
    """Return an aware datetime as RFC 3339 in UTC, with a Z at its end."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def micros_text(at: int | None) -> str | None:
    """Return microseconds since 1970 UTC as `utc_text`; None for None, and for a time outside the calendar."""
    try:
        instant = to_datetime(at)
    except OverflowError:
        return None
    return None if instant is None else utc_text(instant)
