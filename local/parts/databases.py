"""Creates a database and a role for each service. A role owns its database and cannot connect to others."""

from collections.abc import Iterable, Mapping

import psycopg
from psycopg import sql

from local.messages import CommandError

AUDITOR = "auditor"
CONNECTION_LIMIT = 60
"""Connections that one role may open, so that no role can use up all connections."""
MAX_CONNECTIONS = 200
"""Connections of the local Postgres: tests run a dozen replicas of one service and query its database as its role."""


def answers(url: str) -> bool:
    """Return whether Postgres accepts a connection within 2 s.

    Raises CommandError when Postgres rejects the password, which means that data and secrets do not belong together.
    """
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError as error:
        if "password authentication failed" in str(error):
            raise CommandError(
                ".run/postgres was created with a password that is no longer in .run/secrets.json:"
                " restore that file, or delete all data with `make clean`."
            ) from error
        return False
    return True


def create_databases(url: str, names: Iterable[str], passwords: Mapping[str, str]) -> None:
    """Create missing databases and roles of these services and the auditor; set passwords and grants.

    `url` is the superuser's. Repeating the call is harmless.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        _role(connection, AUDITOR, passwords[AUDITOR])
        connection.execute("GRANT pg_read_all_data TO auditor")
        connection.execute("ALTER ROLE auditor SET default_transaction_read_only = on")
        connection.execute("REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC")
        for name in names:
            _role(connection, name, passwords[name])
            _database(connection, name)


def _role(connection: psycopg.Connection, name: str, password: str) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    verb = sql.SQL("ALTER" if known else "CREATE")
    connection.execute(
        sql.SQL("{} ROLE {} LOGIN PASSWORD {} CONNECTION LIMIT {}").format(
            verb, sql.Identifier(name), sql.Literal(password), sql.Literal(CONNECTION_LIMIT)
        )
    )


def _database(connection: psycopg.Connection, name: str) -> None:
    database = sql.Identifier(name)
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
        connection.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(database))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO auditor").format(database))
