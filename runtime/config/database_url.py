"""Reads the URL of a database. Errors of libpq and SQLAlchemy may quote a part of the password; those here do not."""

import sqlalchemy
from sqlalchemy import URL
from sqlalchemy.exc import ArgumentError

from runtime.confidential.wrong_setting import WrongSetting

SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")


def parse(url: str) -> URL:
    """Return the parts of a database URL. Raises WrongSetting for another URL, and for an @ that is not escaped."""
    try:
        parts = sqlalchemy.make_url(url)
    except (ArgumentError, ValueError):
        parts = None
    if parts is None or parts.drivername not in SCHEMES or "@" in (parts.host or ""):
        raise WrongSetting(
            "a database URL must be postgresql://role:password@host:port/name, with / ? # and @ in the password as"
            " %2F %3F %23 %40"
        )
    return parts
