"""The schema that a replay fills: in the service's own database, outside the search path of live connections."""

import re

import sqlalchemy
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from runtime.postgres.engine import engine
from stream.replay.spec import ReplayImpossible
from stream.store.schema import contract_views, migrate

NAME = re.compile(r"[a-z_][a-z0-9_]{0,47}")
WITHOUT_TIMEOUTS = "-cstatement_timeout=0 -cidle_in_transaction_session_timeout=0 -clock_timeout=10000 -cjit=off"
RELAXED_COMMIT = "-csynchronous_commit=off -clock_timeout=0"
"""Connection options. A crash of the server loses the last rows together with their offsets, so that these records are
read again.

Only another process of the same replay can lock a row, for the duration of its batch, so lock waits need no timeout.
"""

BY_KEY = "-cenable_seqscan=off -cenable_hashjoin=off -cenable_mergejoin=off -cplan_cache_mode=force_custom_plan"
"""Connection options that make Postgres use indexes. Handlers select by key, but Postgres would plan for tables that
were empty when they were last analyzed."""

SEARCHED = """
SELECT coalesce(current_schema(), 'public'), session_user::text,
       string_to_array(replace(current_setting('search_path'), ' ', ''), ',')
"""
LOCK = "SELECT pg_advisory_lock(hashtext('hookstream replay ' || %(schema)s))"
EXISTS = "SELECT count(*) FROM pg_namespace WHERE nspname = %(name)s"


def live_name(store: Engine) -> str:
    """Return the name of the schema in which the service's role finds its tables; `public` if there is none yet."""
    with store.connect() as tx:
        return str(tx.exec_driver_sql(SEARCHED).one()[0])


def check_name(store: Engine, name: str) -> None:
    """Raise ReplayImpossible for an invalid schema name, and for a schema that live connections use."""
    with store.connect() as tx:
        current, role, searched = tx.exec_driver_sql(SEARCHED).one()
    if not NAME.fullmatch(name) or name.startswith("pg_"):
        raise ReplayImpossible(f"{name} cannot be a schema: use at most 48 lower-case letters, digits and _")
    if name in (current, "public", contract_views.SCHEMA, role) or name in [schema.strip('"') for schema in searched]:
        raise ReplayImpossible(f"the live service uses the schema {name}; choose another name")


def exists(store: Engine, name: str) -> bool:
    """Return whether the schema exists."""
    with store.connect() as tx:
        return bool(tx.exec_driver_sql(EXISTS, {"name": name}).scalar())


def schema_engine(database_url: str, schema: str, *, service: str) -> Engine:
    """Return an engine for filling a schema: with `schema` as search path, no statement timeout, relaxed commits."""
    return engine(
        _url(database_url, f"{WITHOUT_TIMEOUTS} {RELAXED_COMMIT} {BY_KEY} -csearch_path={schema}"), service=service
    )


def live_engine(database_url: str, *, service: str) -> Engine:
    """Return an engine on the live schema without a statement timeout."""
    return engine(_url(database_url, WITHOUT_TIMEOUTS), service=service)


def create(database_url: str, schema: str, package: str, store: Engine) -> None:
    """Create the schema if it does not exist, and migrate it to the tables that the code of `package` expects.

    `store` is an engine of the same database. Both steps are committed.
    """
    with store.begin() as tx:
        tx.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
    migrate.upgrade(package, _url(database_url, f"-csearch_path={schema}"))


def lock(connection: Connection, schema: str) -> None:
    """Lock the schema against other replays until `connection` is closed.

    Raises ReplayImpossible when another replay has held the lock for 10 s. The wait is for a killed replay, of which
    Postgres may take a moment to notice that it is gone.
    """
    session = connection.execution_options(isolation_level="AUTOCOMMIT")
    try:
        session.exec_driver_sql("SET lock_timeout = '10s'")
        session.exec_driver_sql(LOCK, {"schema": schema})
    except OperationalError as held:
        raise ReplayImpossible(f"another replay is at work in {schema}") from held


def drop(store: Engine, schema: str) -> None:
    """Drop an existing schema with all that is in it, and commit."""
    with store.begin() as tx:
        tx.exec_driver_sql(f"DROP SCHEMA {quoted(schema)} CASCADE")


def tables(tx: Connection, schema: str) -> list[str]:
    """Return the names of the tables of a schema, sorted."""
    rows = tx.exec_driver_sql(
        "SELECT tablename::text FROM pg_tables WHERE schemaname = %(schema)s ORDER BY 1", {"schema": schema}
    )
    return list(rows.scalars())


def quoted(name: str) -> str:
    """Return a name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _url(database_url: str, options: str) -> str:
    url = sqlalchemy.make_url(database_url)
    before = url.query.get("options", "")
    return url.update_query_dict({"options": f"{before} {options}".strip()}).render_as_string(hide_password=False)
