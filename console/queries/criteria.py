"""The criteria and results of queries: filters, time ranges, pages, counts. Pure."""

import re
from dataclasses import dataclass

from console.domain import Status

LIMIT = 50
"""The rows of a page unless a request asks for another number."""
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)

Cursor = tuple[int, str]
"""The last row of a page: when it was received (microseconds since 1970 UTC), and its id."""


class BadParameter(ValueError):
    """A parameter is unknown, repeated or malformed; the message is for the caller."""


@dataclass(frozen=True, slots=True)
class Range:
    """Times from `start` until before `end`, in microseconds since 1970 UTC.

    None means without a beginning, or without an end.
    """

    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """The webhooks to select; a field that is None selects all.

    `provider` is a canonical name, `type` contract E's type or the provider's event type, `id` our id or the
    provider's.
    """

    provider: str | None = None
    status: str | None = None
    type: str | None = None
    order: str | None = None
    id: str | None = None
    received: Range = Range()


@dataclass(frozen=True, slots=True)
class RefusalFilter:
    """The refused requests to select; a field that is None selects all. `provider` is a canonical name."""

    provider: str | None = None
    cause: str | None = None
    order: str | None = None
    received: Range = Range()


@dataclass(frozen=True, slots=True)
class RowPage:
    """Up to `limit` rows that follow the cursor; from the newest row on without one."""

    limit: int = LIMIT
    after: Cursor | None = None


@dataclass(frozen=True, slots=True)
class StatusCount:
    """The number of webhooks with this type and status."""

    type: str
    status: Status
    count: int


def is_uuid(text: str) -> bool:
    """Return whether `text` has the form of our ids: a UUID with hyphens, in any case."""
    return _UUID.fullmatch(text) is not None
