"""SQLAlchemy engines for Postgres: a small pool, with every timeout set so that nothing waits forever."""

import sqlalchemy
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, Engine

from runtime.config.database_url import parse
from runtime.config.worker_settings import WorkerSettings

TIMEOUTS = {"statement_timeout": 20_000, "lock_timeout": 5_000, "idle_in_transaction_session_timeout": 10_000}
"""Timeouts of a session, in milliseconds. Migrations set them on the role too, for connections without options."""
OPTIONS = " ".join(f"-c {name}={milliseconds}" for name, milliseconds in TIMEOUTS.items())


def engine(database_url: str, *, service: str, prepare: bool = True) -> Engine:
    """Create an engine for `database_url`, which may have `?options=`. The engine connects on first use.

    With `prepare=False` the engine works behind PgBouncer in transaction pooling: it uses no prepared statements and no
    options, so timeouts and search_path are those of the role. Raises WrongSetting when the URL cannot be read.
    """
    url = parse(database_url).set(drivername="postgresql+psycopg")
    session_args = {"options": f"{OPTIONS} {url.query.get('options', '')}"} if prepare else {"prepare_threshold": None}
    return sqlalchemy.create_engine(
        url,
        pool_size=2,
        max_overflow=2,
        connect_args={
            "application_name": f"hookstream-{service}",
            "connect_timeout": 3,
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 5000,
            **session_args,
        },
    )


def store_engine(settings: WorkerSettings, service: str) -> Engine:
    """Create the engine of the store of `service` from its settings."""
    return engine(settings.database_url, service=service, prepare=settings.database_prepare)


def failure_message(failure: Exception) -> str:
    """Return the driver's message if SQLAlchemy wraps one, else that of `failure`; for logs."""
    return str(getattr(failure, "orig", None) or failure).strip()


def conninfo(url: URL) -> str:
    """Return `url` as a libpq connection string. SQLAlchemy's URL has `+` for a blank, which libpq takes literally."""
    parts = url.translate_connect_args(username="user", database="dbname")
    return make_conninfo(**parts, **{name: str(value) for name, value in url.query.items()})
