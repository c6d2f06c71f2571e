"""Events that really fail, in a store that refuses some orders; and what an operator does about them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Engine, create_engine

from tests.actors import Reply, Shop, Store, until

ROOT = Path(__file__).parent.parent


def engine(system: dict[str, str], service: str = "payment") -> Engine:
    """Return an engine for a service's store, as the store's owner. The caller disposes of it."""
    return create_engine(system[f"{service.upper()}_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://"))


@contextmanager
def refusing(engine: Engine, *orders: str, table: str = "payments", column: str = "order_id") -> Iterator[None]:
    """Let the store refuse rows of `table` whose `column` is one of `orders` during the block.

    A CHECK constraint refuses them, as after a bad migration, so only the events of these orders fail.
    """
    listed = ", ".join(f"'{order}'" for order in orders)
    with engine.begin() as tx:
        tx.exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT refusing CHECK ({column} NOT IN ({listed}))")
    try:
        yield
    finally:
        with engine.begin() as tx:
            tx.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT refusing")


def pay(shop: Shop, order: str) -> None:
    """Post a completed payment of the order, which must be accepted."""
    assert shop.post("payment", {"orderId": order, "status": "completed", "amount": 58000}).status == 200


def a_failed_event(payments: Store, order: str, status: str, attempts: int) -> str:
    """Wait until the order's event is in `retries`, and return its id.

    Set its status and number of attempts there, and the next attempt to an hour from now; set the outcome in the inbox.
    """
    (row,) = until(
        lambda: payments.rows(
            "UPDATE retries SET status = %s, attempts = %s, next_attempt_at = now() + interval '1 hour'"
            " WHERE key = %s::bytea RETURNING event_id::text",
            status,
            attempts,
            order,
        ),
        bool,
    )
    event_id = str(row["event_id"])
    payments.rows("UPDATE inbox SET outcome = %s WHERE event_id = %s RETURNING 1", status, event_id)
    return event_id


def get(system: dict[str, str], service: str, path: str, **query: object) -> Reply:
    """Get a path of a service's management listener, with query parameters."""
    target = f"{path}?{urlencode(query)}" if query else path
    return _asked(system, service, "GET", target, None)


def post(system: dict[str, str], service: str, path: str, body: Any) -> Reply:
    """Post a body as JSON to a path of a service's management listener."""
    return _asked(system, service, "POST", path, json.dumps(body).encode())


def hookstream(system: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `hookstream` with these arguments, without a terminal, and return its exit code and output."""
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=ROOT,
        env={**os.environ, **system},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _asked(system: dict[str, str], service: str, method: str, target: str, body: bytes | None) -> Reply:
    listener = Shop(system[f"{service.upper()}_MANAGEMENT_URL"], "")
    return listener.request(method, target, body, {"Authorization": f"Bearer {system['MANAGEMENT_TOKEN']}"})
