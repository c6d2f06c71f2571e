"""Streams balances: Postgres notifies every replica of the console, and each sends the changes to its WebSockets.

A client first gets the current balances, then every change after them. When the connection to Postgres was lost, the
current balances are read again.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager

import msgspec
import psycopg
from psycopg import AsyncConnection, sql
from sqlalchemy import Engine, make_url

from console.api.views import log_entries
from console.queries import lookup
from runtime.json_value import JsonValue
from runtime.logging import log
from runtime.postgres.engine import conninfo
from runtime.timing.backoff import Backoff

RECONNECT = Backoff(0.2, 5.0)
CONNECT_OPTIONS: dict[str, JsonValue] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "application_name": "hookstream-console-live",
}
QUEUE_SIZE = 100
"""The number of changes that may wait for a slow client. Beyond it, the current balances are read again."""

CURRENCY = "KRW"
"""The currency of the balance 0 of a customer without credits (contract D's default)."""


class TooManySockets(Exception):
    """A token has its maximum of open WebSockets."""


class Sockets:
    """Counts the open WebSockets of each token; `most` is the maximum per token."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._count_by_token: Counter[str] = Counter()

    @contextmanager
    def open(self, token: str) -> Iterator[None]:
        """Count a WebSocket while the context is open. Raises TooManySockets at the maximum."""
        if self._count_by_token[token] >= self.most:
            raise TooManySockets
        self._count_by_token[token] += 1
        try:
            yield
        finally:
            self._count_by_token[token] -= 1
            if not self._count_by_token[token]:
                del self._count_by_token[token]


BalanceChange = Mapping[str, JsonValue]
"""A change of a balance: customer_id, currency, balance, amount and at, as `records.change` writes it."""
RELOAD: BalanceChange = {}
"""Stands in a queue for the request to read the current balances again."""


class BalanceStream:
    """Streams customers' balances to the WebSockets of this replica: iterate `balances` for each of them.

    `listen` must run meanwhile in the same event loop; without it no changes arrive.
    """

    def __init__(self, log_store: Engine, session_url: str) -> None:
        """`session_url` bypasses a connection pooler, which would not pass on notifications."""
        self._store = log_store
        self._session_url = conninfo(make_url(session_url))
        self._queues: dict[str, set[asyncio.Queue[BalanceChange]]] = defaultdict(set)

    async def listen(self) -> None:
        """Pass notifications of Postgres on to the queues until cancelled.

        When the connection is lost, reconnect after the waits of RECONNECT.
        """
        losses = 0
        while True:
            try:
                async with await AsyncConnection.connect(
                    self._session_url, autocommit=True, **CONNECT_OPTIONS
                ) as connection:
                    await self._listen(connection)
                    losses = 0
                    self._reload(list(self._queues))
                    async for notification in connection.notifies():
                        self._dispatch(notification.payload)
            except (psycopg.Error, OSError) as lost:
                log.warning("balances.lost", error=str(lost).strip(), seconds=RECONNECT.wait_s(losses + 1))
            losses += 1
            await asyncio.sleep(RECONNECT.wait_s(losses))

    async def balances(self, customer_id: str) -> AsyncGenerator[dict[str, JsonValue], None]:
        """Yield a customer's current balances as messages of the API, then a message when one rises, without an end.

        Changes that arrive while the client is slow, or the connection to Postgres is lost, may become one message. A
        customer without a balance gets one message with 0 in CURRENCY. Close the generator to stop. Raises
        SQLAlchemyError when the store does not answer.
        """
        queue: asyncio.Queue[BalanceChange] = asyncio.Queue(QUEUE_SIZE)
        self._queues[customer_id].add(queue)
        try:
            sent: dict[str, int] = {}
            async for message in self._current(customer_id, sent):
                yield message
            if not sent:
                nothing = {"customer_id": customer_id, "balance": 0, "currency": CURRENCY, "at": None}
                yield log_entries.change(nothing, 0)
            while True:
                change = await queue.get()
                if change is RELOAD:
                    async for message in self._current(customer_id, sent):
                        yield message
                elif change["balance"] > sent.get(change["currency"], -1):
                    sent[change["currency"]] = change["balance"]
                    yield log_entries.change(change, change["amount"])
        finally:
            self._queues[customer_id].discard(queue)
            if not self._queues[customer_id]:
                del self._queues[customer_id]

    async def _current(self, customer_id: str, sent: dict[str, int]) -> AsyncGenerator[dict[str, JsonValue], None]:
        """Yield the balances that are higher than in `sent`, which holds the last sent amount by currency."""
        for row in await asyncio.to_thread(self._read, customer_id):
            before = sent.get(row["currency"])
            if before is None or row["balance"] > before:
                sent[row["currency"]] = row["balance"]
                added = 0 if before is None else row["balance"] - before
                yield log_entries.change({**row, "customer_id": customer_id}, added)

    def _read(self, customer_id: str) -> list[lookup.Row]:
        with self._store.connect() as tx:
            return lookup.balances(tx, customer_id)

    def _dispatch(self, payload: str) -> None:
        change = msgspec.json.decode(payload)
        for queue in self._queues.get(change["customer_id"], ()):
            try:
                queue.put_nowait(change)
            except asyncio.QueueFull:
                _request_reload(queue)

    def _reload(self, customers: list[str]) -> None:
        for customer_id in customers:
            for queue in self._queues[customer_id]:
                _request_reload(queue)

    @staticmethod
    async def _listen(connection: AsyncConnection) -> None:
        """Listen on the channel of the store's schema; a replay uses another schema."""
        found = await (await connection.execute("SELECT 'balances.' || current_schema()")).fetchone()
        await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(found[0] if found else "balances")))


def _request_reload(queue: asyncio.Queue[BalanceChange]) -> None:
    """Replace the queued changes by a request to read the current balances again."""
    while not queue.empty():
        queue.get_nowait()
    queue.put_nowait(RELOAD)
