"""Reads the services' stores, with a read-only role where the environment has one."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, LiteralString, Self

from psycopg import AsyncConnection

from runtime.confidential.wrong_setting import WrongSetting
from runtime.config.database_url import parse
from runtime.postgres.engine import conninfo

STATUS: dict[str, LiteralString] = {
    "payment": "SELECT order_id, status FROM payments WHERE order_id = ANY (%s)",
    "shipping": "SELECT shipment_id, status FROM shipments WHERE shipment_id = ANY (%s)",
    "refund": "SELECT order_id, status FROM refunds WHERE order_id = ANY (%s)",
    "subscription": "SELECT user_id, status FROM subscriptions WHERE user_id = ANY (%s)",
    "invoice": "SELECT invoice_id, state FROM invoices WHERE invoice_id = ANY (%s)",
    "notifier": "SELECT notification_id::text, status FROM notifications WHERE notification_id = ANY (%s::uuid[])",
}
"""By service: the query for key and status of the rows with these keys."""

HISTORY: dict[str, LiteralString] = {
    "payment": "SELECT order_id, count(*) FROM payment_history WHERE order_id = ANY (%s) GROUP BY 1",
    "shipping": "SELECT shipment_id, count(*) FROM shipment_history WHERE shipment_id = ANY (%s) GROUP BY 1",
    "refund": "SELECT order_id, count(*) FROM refund_history WHERE order_id = ANY (%s) GROUP BY 1",
    "subscription": "SELECT user_id, count(*) FROM subscription_history WHERE user_id = ANY (%s) GROUP BY 1",
    "invoice": "SELECT invoice_id, count(*) FROM invoice_history WHERE invoice_id = ANY (%s) GROUP BY 1",
}
"""By service: the query for the number of webhooks applied to each of these keys."""


class Stores:
    """One connection for each store. A query that breaks it raises psycopg.OperationalError; the next reconnects."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._connections: dict[str, AsyncConnection] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for connection in self._connections.values():
            await connection.close()

    async def statuses(self, service: str, keys: Collection[str]) -> list[tuple[str, str]]:
        """Return (key, status) of each row with these keys; a key without a row is left out."""
        return await self._select(service, STATUS[service], keys)

    async def applied(self, service: str, keys: Collection[str]) -> Counter[str]:
        """Return the number of history rows of each of these keys, without keys that have none."""
        return Counter(dict(await self._select(service, HISTORY[service], keys)))

    async def _select(self, service: str, query: LiteralString, keys: Collection[str]) -> list[tuple[Any, ...]]:
        connection = self._connections.get(service)
        if connection is None or connection.closed:
            connection = await AsyncConnection.connect(url(self._env, service), autocommit=True, connect_timeout=5)
            self._connections[service] = connection
        return await (await connection.execute(query, [list(keys)])).fetchall()


def url(env: Mapping[str, str], service: str) -> str:
    """Return how to connect to a service's store: with the read-only role if there is one, otherwise as its owner.

    It is a connection string of libpq, whose errors about a URL would quote the password. Raises KeyError if `env` has
    neither URL, WrongSetting if it cannot be read.
    """
    audit, owner = f"{service.upper()}_AUDIT_URL", f"{service.upper()}_DATABASE_URL"
    variable = audit if env.get(audit) else owner
    try:
        return conninfo(parse(env[variable]))
    except WrongSetting as wrong:
        raise WrongSetting(f"{variable}: {wrong}") from wrong
