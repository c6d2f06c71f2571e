"""One way to reach Postgres: a small pool with every timeout set, so that nothing waits for ever."""

import sqlalchemy
from sqlalchemy import Engine

OPTIONS = "-c statement_timeout=20000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=10000"


def engine(database_url: str, *, service: str) -> Engine:
    """An engine for `database_url` (postgresql://…?options=… too); connections are made when first needed."""
    url = sqlalchemy.make_url(database_url).set(drivername="postgresql+psycopg")
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
            "options": f"{OPTIONS} {url.query.get('options', '')}",
        },
    )
