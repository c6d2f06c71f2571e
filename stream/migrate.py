"""Brings a service's database to the schema its code expects: its own migrations and the shared ones."""

from importlib.util import find_spec
from pathlib import Path

from alembic import command
from alembic.config import Config

from runtime.engine import engine

SHARED = Path(__file__).parent / "migrations"


def upgrade(service_package: str, database_url: str) -> None:
    """Migrate the store of a service, such as `processors.payment`, to its newest schema; doing it again is nothing."""
    database = engine(database_url, service="migrate")
    with database.connect() as connection:
        config = _config(service_package)
        config.attributes["connection"] = connection
        command.upgrade(config, "heads")
        connection.commit()
    database.dispose()


def _config(service_package: str) -> Config:
    spec = find_spec(service_package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"no service {service_package}")
    own = Path(spec.origin).parent / "migrations"
    config = Config()
    config.set_main_option("script_location", str(SHARED))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", f"{SHARED / 'versions'}\n{own}")
    return config
