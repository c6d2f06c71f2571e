"""Reads the URL of a database. Errors of libpq and SQLAlchemy may quote a part of the password; those here do not."""

import sqlalchemy
from sqlalchemy import URL
from sqlalchemy.exc import ArgumentError

from runtime.confidential.wrong_setting import WrongSetting

SCHEMES = ("postgresql", "postgres")
"""The schemes, before a `+` and a driver: ours is used, whichever is named."""


def parse(url: str) -> URL:
    """Return the parts of a database URL. Raises WrongSetting for another URL, and for an @ that is not escaped."""
    try:
        parts = sqlalchemy.make_url(url)
    except (ArgumentError, ValueError):
        parts = None
    if parts is None or parts.drivername.partition("+")[0] not in SCHEMES or _has_bare_at(url, parts):
        raise WrongSetting(
            "a database URL must be postgresql://role:password@host:port/name, with / ? # and @ in the password as"
            " %2F %3F %23 %40"
        )
    return parts


def _has_bare_at(url: str, parts: URL) -> bool:
    """Return whether a part of the password was read as host, database or query, because its @ is not escaped."""
    is_in_query = "@" in url.partition("?")[2] and "?" not in str(parts.password or "")
    return is_in_query or "@" in f"{parts.host}{parts.database}"
