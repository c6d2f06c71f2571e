"""One way to reach Postgres: a small pool with every timeout set, so that nothing waits for ever."""

import sqlalchemy
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, Engine

from runtime.config.settings import StoreSettings

TIMEOUTS = {"statement_timeout": 20_000, "lock_timeout": 5_000, "idle_in_transaction_session_timeout": 10_000}
"""Milliseconds. Migrations give them to the role as well, for connections that may not set them."""
OPTIONS = " ".join(f"-c {name}={milliseconds}" for name, milliseconds in TIMEOUTS.items())


def engine(database_url: str, *, service: str, prepare: bool = True) -> Engine:
    """An engine for `database_url` (postgresql://…?options=… too); connections are made when first needed.

    Without `prepare` it asks nothing of a connection that PgBouncer cannot keep in transaction pooling: no prepared
    statements, and no options, so timeouts and search_path are those of the role.
    """
    url = sqlalchemy.make_url(database_url).set(drivername="postgresql+psycopg")
    of_session = {"options": f"{OPTIONS} {url.query.get('options', '')}"} if prepare else {"prepare_threshold": None}
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
            **of_session,
        },
    )


def store_engine(settings: StoreSettings, service: str) -> Engine:
    """The engine of a service's own store, as its settings describe it."""
    return engine(settings.database_url, service=service, prepare=settings.database_prepare)


def conninfo(url: URL) -> str:
    """Return `url` as libpq reads it: a blank that SQLAlchemy writes as `+` would be a plus sign there."""
    parts = url.translate_connect_args(username="user", database="dbname")
    return make_conninfo(**parts, **{name: str(value) for name, value in url.query.items()})
