"""Instants as Korean payment providers write them: ISO 8601, Unix seconds or bare digits; without a zone, Korean."""

import re
from datetime import UTC, datetime, timedelta, timezone

from providers.contract import Unreadable
from providers.fields import EPOCH, micros

KST = timezone(timedelta(hours=9))
"""Korea keeps it all year."""

_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?)?(?(1)(Z|[+-]\d\d:?\d\d)?)", re.ASCII)
_DIGITS = re.compile(r"\d{14}", re.ASCII)


def korean(said: str | int | None, field: str) -> int | None:
    """Microseconds since 1970 UTC of an ISO 8601 text, or of Unix seconds; None for what is not said (None, "", 0).

    Raises Unreadable for anything else.
    """
    if not said:
        return None
    try:
        return micros(datetime.fromtimestamp(said, UTC) if isinstance(said, int) else _iso(said), field)
    except (ValueError, OverflowError, OSError):
        raise Unreadable(f"{field} is no instant") from None


def korean_digits(text: str, field: str) -> int | None:
    """Microseconds since 1970 UTC of Korean time written as YYYYMMDDHHMMSS; None for an empty text."""
    if not text:
        return None
    if not _DIGITS.fullmatch(text):
        raise Unreadable(f"{field} is not written as YYYYMMDDHHMMSS")
    try:
        return micros(datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=KST), field)
    except ValueError:
        raise Unreadable(f"{field} is no instant") from None


def in_korea(at: int) -> datetime:
    """The Korean wall clock at an instant in microseconds since 1970 UTC."""
    return (EPOCH + timedelta(microseconds=at)).astimezone(KST)


def _iso(text: str) -> datetime:
    if not _ISO.fullmatch(text):
        raise ValueError(text)
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=KST)
