"""Time as the records carry it: whole microseconds since 1970 UTC."""

import time
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_US = 24 * 3600 * 1_000_000


def now() -> int:
    """The time, by this machine's clock."""
    return time.time_ns() // 1000


def moment(at: int | None) -> datetime | None:
    """The time that many microseconds after 1970 UTC."""
    return None if at is None else EPOCH + timedelta(microseconds=at)
