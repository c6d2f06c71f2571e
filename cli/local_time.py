"""Times as commands print them: in the time zone of this machine, to the second."""

from datetime import datetime

FORMAT = "%Y-%m-%d %H:%M:%S"


def of_text(timestamp: str | None) -> str:
    """Return an RFC 3339 timestamp as local time; an empty text for None and an empty text."""
    return f"{datetime.fromisoformat(timestamp).astimezone():{FORMAT}}" if timestamp else ""


def of_micros(at: int) -> str:
    """Return microseconds since 1970 UTC as local time; `no time` for a number outside the calendar."""
    try:
        return f"{datetime.fromtimestamp(at / 1_000_000).astimezone():{FORMAT}}"
    except (ValueError, OverflowError, OSError):
        return "no time"
