"""Events that really fail: a store that refuses some orders, and what the person on call does about them."""

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
    """A service's database, as its owner."""
    return create_engine(system[f"{service.upper()}_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://"))


@contextmanager
def refusing(engine: Engine, *orders: str, table: str = "payments", column: str = "order_id") -> Iterator[None]:
    """A store that refuses these orders' payments, as after a bad migration; or other rows by their names."""
    listed = ", ".join(f"'{order}'" for order in orders)
    with engine.begin() as tx:
        tx.exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT refusing CHECK ({column} NOT IN ({listed}))")
    try:
        yield
    finally:
        with engine.begin() as tx:
            tx.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT refusing")


def pay(shop: Shop, order: str) -> None:
    assert shop.post("payment", {"orderId": order, "status": "completed", "amount": 58000}).status == 200


def a_failed_event(payments: Store, order: str, status: str, attempts: int) -> str:
    """The id of an order's event, once it has failed: as it is after so many tries, the next an hour away."""
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
    """What a service's management listener shows."""
    target = f"{path}?{urlencode(query)}" if query else path
    return _asked(system, service, "GET", target, None)


def post(system: dict[str, str], service: str, path: str, body: Any) -> Reply:
    """What a service's management listener says to a wish."""
    return _asked(system, service, "POST", path, json.dumps(body).encode())


def hookstream(system: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command as a person runs it where there is no terminal."""
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
