"""Where a replay works: a schema of the service's own database, which no live connection finds by itself."""

import re

import sqlalchemy
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from runtime.postgres.engine import engine
from stream.replay.spec import ReplayImpossible
from stream.store import migrate

NAME = re.compile(r"[a-z_][a-z0-9_]{0,47}")
PATIENT = "-cstatement_timeout=0 -cidle_in_transaction_session_timeout=0 -clock_timeout=10000 -cjit=off"
UNHURRIED = "-csynchronous_commit=off -clock_timeout=0"
"""A crash of the server loses the last rows together with their offsets, so they are read again.

A row is locked by another process of the same replay at most, for as long as that one's batch takes.
"""

BY_KEY = "-cenable_seqscan=off -cenable_hashjoin=off -cenable_mergejoin=off -cplan_cache_mode=force_custom_plan"
"""A handler asks by key; and tables that were empty a moment ago are planned as if they still were."""

SEARCHED = """
SELECT coalesce(current_schema(), 'public'), session_user::text,
       string_to_array(replace(current_setting('search_path'), ' ', ''), ',')
"""
ALONE = "SELECT pg_advisory_lock(hashtext('hookstream replay ' || %(schema)s))"
EXISTS = "SELECT count(*) FROM pg_namespace WHERE nspname = %(name)s"


def live(store: Engine) -> str:
    """The schema in which the service's role finds its tables."""
    with store.connect() as tx:
        return str(tx.exec_driver_sql(SEARCHED).one()[0])


def check(store: Engine, name: str) -> None:
    """Raises Impossible for a name that is no schema's, or one where live connections look."""
    with store.connect() as tx:
        current, role, searched = tx.exec_driver_sql(SEARCHED).one()
    if not NAME.fullmatch(name) or name.startswith("pg_"):
        raise ReplayImpossible(f"{name} cannot be a schema: use small letters, digits and _, at most 48")
    if name in (current, "public", role) or name in [one.strip('"') for one in searched]:
        raise ReplayImpossible(f"{name} is where the live service looks; choose another name")


def exists(store: Engine, name: str) -> bool:
    """Whether there is such a schema."""
    with store.connect() as tx:
        return bool(tx.exec_driver_sql(EXISTS, {"name": name}).scalar())


def within(database_url: str, schema: str, *, service: str) -> Engine:
    """An engine whose connections find the tables of `schema` and no others, and that may take its time."""
    return engine(_url(database_url, f"{PATIENT} {UNHURRIED} {BY_KEY} -csearch_path={schema}"), service=service)


def patient(database_url: str, *, service: str) -> Engine:
    """An engine on the live schema that may take its time."""
    return engine(_url(database_url, PATIENT), service=service)


def create(database_url: str, schema: str, package: str, store: Engine) -> None:
    """Make the schema, and in it the tables that the service's code expects; doing it again changes nothing."""
    with store.begin() as tx:
        tx.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
    migrate.upgrade(package, _url(database_url, f"-csearch_path={schema}"))


def alone(connection: Connection, schema: str) -> None:
    """Keep other replays out of this schema while `connection` is open.

    Raises Impossible when one is in it: of one that was killed, the database may take a moment to notice.
    """
    session = connection.execution_options(isolation_level="AUTOCOMMIT")
    try:
        session.exec_driver_sql("SET lock_timeout = '10s'")
        session.exec_driver_sql(ALONE, {"schema": schema})
    except OperationalError as taken:
        raise ReplayImpossible(f"another replay is at work in {schema}") from taken


def drop(store: Engine, schema: str) -> None:
    """Remove a schema and all that is in it."""
    with store.begin() as tx:
        tx.exec_driver_sql(f"DROP SCHEMA {quoted(schema)} CASCADE")


def tables(tx: Connection, schema: str) -> list[str]:
    """The tables of a schema."""
    rows = tx.exec_driver_sql(
        "SELECT tablename::text FROM pg_tables WHERE schemaname = %(schema)s ORDER BY 1", {"schema": schema}
    )
    return list(rows.scalars())


def quoted(name: str) -> str:
    """A name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


def _url(database_url: str, options: str) -> str:
    url = sqlalchemy.make_url(database_url)
    before = url.query.get("options", "")
    return url.update_query_dict({"options": f"{before} {options}".strip()}).render_as_string(hide_password=False)
