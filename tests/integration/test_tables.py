"""The tables that the statements are built from are those that the migrations make."""

from collections.abc import Sequence
from importlib import import_module

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData

from runtime.postgres.engine import engine
from stream.store import tables

PROCESSORS = ("payment", "shipping", "refund", "subscription", "invoice", "order")
SERVICES = {
    **{name: (f"processors.{name}.tables",) for name in PROCESSORS},
    "confirmer": ("confirmer.tables",),
    "notifier": ("notifier.tables",),
    "console": ("console.tables.log", "console.tables.refusals", "console.tables.work"),
}
"""The modules with the tables of each service that has a store."""


@pytest.mark.parametrize("service", SERVICES)
def test_autogenerate_finds_no_difference_between_the_tables_and_the_migrated_store(
    system: dict[str, str], service: str
) -> None:
    store = engine(system[f"{service.upper()}_DATABASE_URL"], service="test")

    with store.connect() as connection:
        differences = compared(connection, [import_module(name).METADATA for name in SERVICES[service]])
    store.dispose()

    assert differences == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_table_has_a_primary_key(service: str) -> None:
    """A replay compares rows by it, and Postgres replicates changes by it."""
    known = [import_module(name).METADATA for name in SERVICES[service]]

    assert [
        table.name for own in (*known, tables.METADATA) for table in own.sorted_tables if not table.primary_key
    ] == []


def compared(connection: Connection, own: Sequence[MetaData]) -> list[object]:
    """Return what differs in columns, types, defaults and indexes between the store and its tables in code."""
    options = {"compare_type": True, "compare_server_default": True, "include_name": _is_known}
    context = MigrationContext.configure(connection, opts={**options, "target_metadata": [*own, tables.METADATA]})
    differences: list[object] = compare_metadata(context, [*own, tables.METADATA])  # type: ignore[arg-type]
    return differences


UNKNOWN = ("alembic_version", "webhook_count_changes")
"""Alembic's own table, and the console's table of composites for its triggers."""


def _is_known(name: str | None, kind: str, _: object) -> bool:
    """Return whether a table is compared."""
    return kind != "table" or not (name or "").startswith(UNKNOWN)
