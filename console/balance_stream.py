"""Balances as they change: Postgres tells every replica of the console, and each tells the screens that watch it.

A screen first gets what there is, then every change; a change that is already in what it got is not sent again. When
the connection to Postgres was lost, what there is then is read anew.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
import psycopg
from psycopg import AsyncConnection, sql
from sqlalchemy import Engine, make_url

from console.api import queries, views
from runtime.logging import log
from runtime.postgres.engine import conninfo

AGAIN_S = (0.2, 5.0)
PATIENCE: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "application_name": "hookstream-console-live",
}
PENDING = 100
"""So many changes may wait for a slow screen; one that is slower reads what there is anew."""

CURRENCY = "KRW"
"""Of a balance that has none yet (contract D's default)."""


class TooManySockets(Exception):
    """This token has as many open as it may."""


class Sockets:
    """Counts the open WebSockets of each token; `most` is what one may have."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._open: Counter[str] = Counter()

    @contextmanager
    def one(self, token: str) -> Iterator[None]:
        """Raises TooManySockets when this token has no more."""
        if self._open[token] >= self.most:
            raise TooManySockets
        self._open[token] += 1
        try:
            yield
        finally:
            self._open[token] -= 1
            if not self._open[token]:
                del self._open[token]


Told = Mapping[str, Any]
AFRESH: Told = {}


class Live:
    """The customers whose screens are open here, and what Postgres tells of them."""

    def __init__(self, log_store: Engine, session_url: str) -> None:
        """`session_url` leads to the same store without a pooler, which would not pass on what is told."""
        self._store = log_store
        self._session_url = conninfo(make_url(session_url))
        self._watching: dict[str, set[asyncio.Queue[Told]]] = defaultdict(set)

    async def listen(self) -> None:
        """Pass on what Postgres tells, until cancelled."""
        wait, longest = AGAIN_S
        while True:
            try:
                async with await AsyncConnection.connect(self._session_url, autocommit=True, **PATIENCE) as connection:
                    await self._channel(connection)
                    wait = AGAIN_S[0]
                    self._afresh(list(self._watching))
                    async for notice in connection.notifies():
                        self._pass_on(notice.payload)
            except (psycopg.Error, OSError) as lost:
                log.warning("balances.lost", error=str(lost).strip(), seconds=wait)
            await asyncio.sleep(wait)
            wait = min(wait * 2, longest)

    async def balances(self, customer_id: str) -> AsyncGenerator[dict[str, Any], None]:
        """What a customer has, then each change of it."""
        queue: asyncio.Queue[Told] = asyncio.Queue(PENDING)
        self._watching[customer_id].add(queue)
        try:
            sent: dict[str, int] = {}
            async for message in self._now(customer_id, sent):
                yield message
            if not sent:
                nothing = {"customer_id": customer_id, "balance": 0, "currency": CURRENCY, "at": None}
                yield views.change(nothing, 0)
            while True:
                told = await queue.get()
                if told is AFRESH:
                    async for message in self._now(customer_id, sent):
                        yield message
                elif told["balance"] > sent.get(told["currency"], -1):
                    sent[told["currency"]] = told["balance"]
                    yield views.change(told, told["amount"])
        finally:
            self._watching[customer_id].discard(queue)
            if not self._watching[customer_id]:
                del self._watching[customer_id]

    async def _now(self, customer_id: str, sent: dict[str, int]) -> AsyncGenerator[dict[str, Any], None]:
        """What a customer has, as far as it is news; `sent` is what the screen shows, by currency."""
        for row in await asyncio.to_thread(self._read, customer_id):
            before = sent.get(row["currency"])
            if before is None or row["balance"] > before:
                sent[row["currency"]] = row["balance"]
                added = 0 if before is None else row["balance"] - before
                yield views.change({**row, "customer_id": customer_id}, added)

    def _read(self, customer_id: str) -> list[queries.Row]:
        with self._store.connect() as tx:
            return queries.balances(tx, customer_id)

    def _pass_on(self, payload: str) -> None:
        told = msgspec.json.decode(payload)
        for queue in self._watching.get(told["customer_id"], ()):
            try:
                queue.put_nowait(told)
            except asyncio.QueueFull:
                _clear(queue)

    def _afresh(self, customers: list[str]) -> None:
        for customer_id in customers:
            for queue in self._watching[customer_id]:
                _clear(queue)

    @staticmethod
    async def _channel(connection: AsyncConnection) -> None:
        """Listen to the store's own schema: another is one that is being rebuilt."""
        found = await (await connection.execute("SELECT 'balances.' || current_schema()")).fetchone()
        await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(found[0] if found else "balances")))


def _clear(queue: asyncio.Queue[Told]) -> None:
    """Forget the changes that wait; what there is will be read anew."""
    while not queue.empty():
        queue.get_nowait()
    queue.put_nowait(AFRESH)
