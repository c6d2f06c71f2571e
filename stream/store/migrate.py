"""Brings a service's database to the schema its code expects: its own migrations and the shared ones.

Alembic is imported when it is used: a service that runs does not need its 12 MB and its 0.3 s of CPU at start.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, exc

from runtime.logging import log
from runtime.postgres.engine import TIMEOUTS, engine

if TYPE_CHECKING:
    from alembic.config import Config

SHARED = Path(__file__).parent / "migrations"


def upgrade(service_package: str, database_url: str) -> None:
    """Migrate the store of a service, such as `processors.payment`, to its newest schema; doing it again is nothing."""
    from alembic import command

    database = engine(database_url, service="migrate")
    with database.connect() as connection:
        config = _config(service_package)
        config.attributes["connection"] = connection
        command.upgrade(config, "heads")
        connection.commit()
        _give_timeouts(connection)
    database.dispose()


def _give_timeouts(connection: Connection) -> None:
    """Let the role's own connections end what takes too long, also where a pooler lets none set its timeouts."""
    name = connection.exec_driver_sql("SELECT quote_ident(current_database())").scalar_one()
    try:
        for setting, milliseconds in TIMEOUTS.items():
            connection.exec_driver_sql(f"ALTER ROLE CURRENT_USER IN DATABASE {name} SET {setting} = {milliseconds}")
        connection.commit()
    except exc.DBAPIError as refused:  # by a server that keeps roles to itself; docs/deploying.md says what to do
        connection.rollback()
        log.warning("timeouts.not_set", error=str(refused.orig).strip())


def _config(service_package: str) -> "Config":
    from alembic.config import Config

    spec = find_spec(service_package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"no service {service_package}")
    own = Path(spec.origin).parent / "migrations"
    config = Config()
    config.set_main_option("script_location", str(SHARED))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", f"{SHARED / 'versions'}\n{own}")
    return config
