"""Time as in the records: whole microseconds since 1970 UTC."""

import time
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_US = 24 * 3600 * 1_000_000


def now() -> int:
    """Return this machine's time in microseconds since 1970 UTC."""
    return time.time_ns() // 1000


def to_datetime(at: int | None) -> datetime | None:
    """Return a datetime in UTC for microseconds since 1970 UTC; None for None."""
    return None if at is None else EPOCH + timedelta(microseconds=at)
