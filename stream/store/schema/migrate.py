"""Migrates a service's database to the schema its code expects, with the service's own migrations and the shared ones.

Alembic is imported where it is used: it takes 12 MB and 0.3 s of CPU, which a running service does not need.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy import Connection, exc

from runtime import startup
from runtime.config.database_url import parse
from runtime.logging import log
from runtime.postgres.engine import TIMEOUTS, conninfo, engine
from stream.store.schema import contract_views

if TYPE_CHECKING:
    from alembic.config import Config

ENCODING = "UTF8"
CONNECT_S = 5
SHARED = Path(__file__).parents[1] / "migrations"


def upgrade(service_package: str, database_url: str) -> None:
    """Migrate the store of a service package, such as `processors.payment`, to the newest schema of its code.

    Does nothing if the store is up to date. Each migration is a transaction of its own. Raises ModuleNotFoundError when
    there is no such package, SystemExit when the database has another encoding than UTF8.
    """
    from alembic import command

    _check_encoding(database_url)
    database = engine(database_url, service="migrate")
    with database.connect() as connection:
        config = _config(service_package)
        config.attributes["connection"] = connection
        command.upgrade(config, "heads")
        contract_views.install_unless_elsewhere(connection, service_package)
        connection.commit()
        _set_role_timeouts(connection)
    database.dispose()


def _check_encoding(database_url: str) -> None:
    """Exit with a sentence if the database has another encoding than UTF8. In SQL_ASCII, texts are read as bytes."""
    try:
        with psycopg.connect(conninfo(parse(database_url)), connect_timeout=CONNECT_S) as connection:
            encoding, name = connection.info.parameter_status("server_encoding"), connection.info.dbname
    except psycopg.OperationalError:  # the migration itself will report it
        return
    if encoding != ENCODING:
        startup.abort_start(
            f"the database {name} has the encoding {encoding}, not {ENCODING}. Make it anew: "
            f"CREATE DATABASE {name} ENCODING '{ENCODING}' TEMPLATE template0"
        )


def pending(service_package: str, database_url: str) -> list[str]:
    """Return the ids of the migrations that the store of a service package lacks, oldest first.

    Raises SQLAlchemyError when the database does not answer.
    """
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    database = engine(database_url, service="doctor")
    try:
        with database.connect() as connection:
            applied = MigrationContext.configure(connection).get_current_heads()
    finally:
        database.dispose()
    scripts = ScriptDirectory.from_config(_config(service_package))
    done = {script.revision for head in applied for script in scripts.iterate_revisions(head, "base")}
    return [script.revision for script in scripts.walk_revisions() if script.revision not in done][::-1]


def _set_role_timeouts(connection: Connection) -> None:
    """Set TIMEOUTS for the service's role in this database, because behind a pooler a connection cannot set its own.

    Commits. Connections opened later have them. If the server refuses, rolls back and logs a warning.
    """
    name = connection.exec_driver_sql("SELECT quote_ident(current_database())").scalar_one()
    try:
        for setting, milliseconds in TIMEOUTS.items():
            connection.exec_driver_sql(f"ALTER ROLE CURRENT_USER IN DATABASE {name} SET {setting} = {milliseconds}")
        connection.commit()
    except exc.DBAPIError as refused:  # the server does not let a role alter itself; see docs/deploying.md
        connection.rollback()
        log.warning("timeouts.not_set", error=str(refused.orig).strip())


def _config(service_package: str) -> "Config":
    from alembic.config import Config

    spec = find_spec(service_package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"there is no service package {service_package}")
    own = Path(spec.origin).parent / "migrations"
    config = Config()
    config.set_main_option("script_location", str(SHARED))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", f"{SHARED / 'versions'}\n{own}")
    return config
