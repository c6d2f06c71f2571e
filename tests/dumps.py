"""Backups as an operator makes them: `pg_dump` of a store, and `psql` to restore it."""

import subprocess
from pathlib import Path

from tests.actors import Store

CUT_OFF = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = user"


def dump(store: Store, to: Path) -> Path:
    """Write all of a store as SQL to the file `to`, and return it. The SQL first drops the tables that exist."""
    _run("pg_dump", "--no-owner", "--clean", "--if-exists", f"--file={to}", store.url)
    return to


def restore(store: Store, dumped: Path) -> None:
    """Restore a dump in one transaction while the service runs; then cut its connections, as after a failover."""
    _run("psql", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction", f"--file={dumped}", store.url)
    store.rows(CUT_OFF)


def restore_unnoticed(store: Store, dumped: Path) -> None:
    """Restore a dump in one transaction while the service runs, and leave its connections as they are."""
    _run("psql", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction", f"--file={dumped}", store.url)


def _run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
