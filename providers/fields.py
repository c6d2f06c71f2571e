"""The types that webhook fields share: ids, texts, addresses, instants."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

from providers.contract import Unreadable

Id = Annotated[str, msgspec.Meta(pattern=r"\A[\w#][\w.:#=+@~-]{0,127}\Z")]
"""A name of something in another system: letters and digits of any script and a few marks, 128 at most."""
OrderId = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | Id
"""`123` and `"123"` are the same order."""
Text = Annotated[str, msgspec.Meta(max_length=1000)]
Locale = Annotated[str, msgspec.Meta(max_length=255, pattern=r"\A\s*[A-Za-z*][A-Za-z0-9_@.,;=* \t-]*\Z")]
"""A language tag such as `ko-KR`, a POSIX locale such as `ko_KR.UTF-8`, or a whole Accept-Language header."""
Link = Annotated[str, msgspec.Meta(max_length=1000, pattern=r"\A(https?://|/)[^\s\"<>]*\Z")]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)


def micros(instant: datetime | None, field: str) -> int | None:
    """An instant in microseconds since 1970 UTC.

    Raises Unreadable when it is so far off that it must be a mistake.
    """
    if instant is None:
        return None
    if not EARLIEST <= instant < LATEST:
        raise Unreadable(f"{field} is outside the years 2000 to 2099")
    return (instant - EPOCH) // timedelta(microseconds=1)


def quoted(name: str) -> str:
    """A name as it may stand in a URL, as one part of its path or one value of its query (RFC 3986 §2.3)."""
    return "".join(c if c in _UNRESERVED else "".join(f"%{byte:02X}" for byte in c.encode()) for c in name)
