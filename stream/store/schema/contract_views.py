"""Views with the names that the contracts use for stored fields (docs/stored_fields.md), in the schema `contracts`.

A service that stores such fields has their views in a file FILE in its package. The views are in a schema of their own,
because two contracts have a table with the name of one of ours and other columns. A view stays with the tables that it
was created on, so it is replaced when a replayed schema takes the place of the live one.
"""

from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import Connection

SCHEMA = "contracts"
FILE = "contract_views.sql"

USED = """
SELECT count(*) FROM information_schema.view_table_usage
 WHERE view_schema = %(views)s AND table_schema <> %(schema)s
"""


def install(tx: Connection, package: str, schema: str) -> None:
    """Create or replace the views of a service's package, on the tables in `schema`.

    The search path is then `schema` until the transaction ends. Does nothing for a package without views.
    """
    if statements := _statements(package):
        tx.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        tx.exec_driver_sql("SELECT set_config('search_path', quote_ident(%(schema)s), true)", {"schema": schema})
        tx.exec_driver_sql(statements)


def install_unless_elsewhere(tx: Connection, package: str) -> None:
    """Install the views on the tables of the current schema, unless they are installed on those of another schema.

    The other schema is then the live one, and the current one is that of a replay.
    """
    schema = str(tx.exec_driver_sql("SELECT current_schema()").scalar_one())
    if not tx.exec_driver_sql(USED, {"views": SCHEMA, "schema": schema}).scalar_one():
        install(tx, package, schema)


def _statements(package: str) -> str:
    """Return the SQL in the FILE of a package; "" if it has none."""
    found = find_spec(package)
    folders = found.submodule_search_locations if found else None
    file = Path(next(iter(folders))) / FILE if folders else None
    return file.read_text() if file and file.is_file() else ""
