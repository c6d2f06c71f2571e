"""Views with the names that the contracts use for stored fields (docs/stored_fields.md), in the schema `contracts`.

Each service that owns such fields has a file of them in its package. They are in a schema of their own, because two
contracts have a table that is called as one of ours and has other columns. A view belongs to the tables that it was
made from, so it is made again when a replayed schema takes the place of the live one.
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
    """Make the views of a service's package on the tables in `schema`; its search path is set for the transaction."""
    if statements := _statements(package):
        tx.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        tx.exec_driver_sql("SELECT set_config('search_path', quote_ident(%(schema)s), true)", {"schema": schema})
        tx.exec_driver_sql(statements)


def install_unless_elsewhere(tx: Connection, package: str) -> None:
    """Make the views on the tables of the current schema, unless views on another schema exist, which then is live."""
    schema = str(tx.exec_driver_sql("SELECT current_schema()").scalar_one())
    if not tx.exec_driver_sql(USED, {"views": SCHEMA, "schema": schema}).scalar_one():
        install(tx, package, schema)


def _statements(package: str) -> str:
    """Return the statements of a package, empty if it has none."""
    found = find_spec(package)
    folders = found.submodule_search_locations if found else None
    file = Path(next(iter(folders))) / FILE if folders else None
    return file.read_text() if file and file.is_file() else ""
