"""Parses query parameters; a malformed one raises BadParameter with a message for the caller. Pure.

Every function of `Parameters` refuses parameters that are unknown to it, given twice, longer than MAX_LENGTH or not
printable. A blank parameter counts as not given.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from console.api.views.statistics import ALL
from console.domain import STATUSES
from console.labels import PROVIDERS, canonical
from console.queries.criteria import LIMIT, BadParameter, Cursor, Filter, Range, RefusalFilter, RowPage, is_uuid
from providers.parsing.fields import HIDDEN
from runtime.clock import EPOCH

DAY = timedelta(days=1)
MAX_LIMIT = 200
MAX_LENGTH = 200
IDS = ("order", "id")
"""Parameters whose values are not stripped, because blanks may be part of an id."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

Parameters = Mapping[str, Sequence[str]]
"""The values of each query parameter."""


def of_statistics(params: Parameters) -> Filter:
    """Return the filter of a request for statistics: `from`, `to` and `provider`. Raises BadParameter."""
    values = _parse(params, {"from", "to", "provider"})
    return Filter(provider=_provider(values), received=_range(values))


def of_webhooks(params: Parameters) -> tuple[Filter, RowPage]:
    """Return the filter and page of a search in the log. Raises BadParameter."""
    names = {"from", "to", "provider", "status", "type", "order", "id", "limit", "cursor"}
    values = _parse(params, names)
    status = values.get("status", "").upper() or None
    if status not in (None, *STATUSES):
        raise BadParameter(f"status must be one of {', '.join(STATUSES)}")
    criteria = Filter(
        _provider(values), status, values.get("type"), values.get("order"), values.get("id"), _range(values)
    )
    return criteria, RowPage(_limit(values.get("limit")), _after(values.get("cursor")))


def of_refusals(params: Parameters) -> tuple[RefusalFilter, RowPage]:
    """Return the filter and page of a request for refusals. Raises BadParameter."""
    values = _parse(params, {"from", "to", "provider", "cause", "order", "limit", "cursor"})
    criteria = RefusalFilter(_provider(values), values.get("cause"), values.get("order"), _range(values))
    return criteria, RowPage(_limit(values.get("limit")), _after(values.get("cursor")))


def texts(params: Parameters, names: Collection[str]) -> dict[str, str]:
    """Return the values of those parameters of `names` that are given. Raises BadParameter for any other parameter."""
    return _parse(params, names)


def received(values: Mapping[str, str]) -> Range:
    """Return the time range from `from` until before `to`; a date is a day in UTC, which `to` includes.

    Neither is required. Raises BadParameter for a malformed time, and unless `from` is before `to`.
    """
    return _range(values)


def reject_all(params: Parameters) -> None:
    """Raise BadParameter if any parameter is given."""
    _parse(params, ())


def cursor(after: Cursor) -> str:
    """Return a cursor as text for a URL: the value of the parameter `cursor`."""
    return urlsafe_b64encode(f"{after[0]}:{after[1]}".encode()).decode().rstrip("=")


def checked_id(text: str) -> str:
    """Return `text`, an id from a path, unchanged. Raises BadParameter if it is empty, too long or not printable."""
    if not (0 < len(text) <= MAX_LENGTH and _is_printable(text)):
        raise BadParameter(f"an id is printable and no longer than {MAX_LENGTH} characters")
    return text


def _parse(params: Parameters, names: Collection[str]) -> dict[str, str]:
    """Return the parameters that are not blank, without blanks at the ends unless they are ids."""
    for name, values in params.items():
        if name not in names:
            raise BadParameter(f"unknown parameter {name[:40]}; expected: {', '.join(sorted(names)) or 'none'}")
        if len(values) > 1:
            raise BadParameter(f"{name} is given {len(values)} times")
        if len(values[0]) > MAX_LENGTH or not _is_printable(values[0]):
            raise BadParameter(f"{name} must be printable and no longer than {MAX_LENGTH} characters")
    return {
        name: values[0] if name in IDS else values[0].strip() for name, values in params.items() if values[0].strip()
    }


def _is_printable(text: str) -> bool:
    """Return whether a text has no character that an id must not hold, such as a control character."""
    return not HIDDEN.search(text)


def _provider(values: Mapping[str, str]) -> str | None:
    name = values.get("provider")
    if name is None or name.upper() == ALL:
        return None
    canonical_name = canonical(name)
    if canonical_name is None:
        raise BadParameter(f"provider must be one of {', '.join(PROVIDERS)}")
    return canonical_name


def _range(values: Mapping[str, str]) -> Range:
    start = _time(values, "from", end_of_day=False)
    end = _time(values, "to", end_of_day=True)
    if start is not None and end is not None and start >= end:
        raise BadParameter("from must be before to")
    return Range(start, end)


def _time(values: Mapping[str, str], name: str, *, end_of_day: bool) -> int | None:
    """Return the time `name` of a query in microseconds since 1970 UTC; None if it is not given.

    A date is the start of that day in UTC, with `end_of_day` its end. Raises BadParameter for anything else than a date
    or an instant with its offset.
    """
    text = values.get(name)
    if text is None:
        return None
    try:
        if _DATE.fullmatch(text):
            instant = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
            instant += DAY if end_of_day else timedelta()
        else:
            instant = datetime.fromisoformat(text.replace(" ", "+"))  # a + that was not escaped in the URL
        if instant.utcoffset() is None:
            raise BadParameter(f"{name} must include its offset from UTC, such as 2026-02-03T00:00:00+09:00")
        return (instant - EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError) as error:
        if isinstance(error, BadParameter):
            raise
        raise BadParameter(f"{name} must be a date or an instant, such as 2026-02-03 or 2026-02-03T09:00:00Z") from None


def _limit(text: str | None) -> int:
    if text is None:
        return LIMIT
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_LIMIT):
        raise BadParameter(f"limit must be a number from 1 to {MAX_LIMIT}")
    return int(text)


def _after(text: str | None) -> Cursor | None:
    if text is None:
        return None
    try:
        at, _, webhook_id = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii").partition(":")
        if is_uuid(webhook_id) and -(2**63) <= int(at) < 2**63:
            return int(at), webhook_id
    except (Error, ValueError):
        pass
    raise BadParameter("cursor must be the `next` of an earlier answer")
