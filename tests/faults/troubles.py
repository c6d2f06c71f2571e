"""Stores that fail, each in its own way, until they do no more."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Event, Thread

import psycopg

from tests.actors import until
from tests.proxy import Proxy

Trouble = Callable[[str, Proxy], AbstractContextManager[None]]
"""Given the store's URL and the line to it."""

OURS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hookstream-payment'"
WAITING = """
SELECT 1 FROM pg_stat_activity WHERE application_name = 'hookstream-payment' AND wait_event_type = 'Lock'
"""
LASTS_S = 2.0


@contextmanager
def refusing(url: str, *orders: str) -> Iterator[None]:
    """A store that refuses these orders' payments, as after a bad migration: that is the events' failure."""
    listed = ", ".join(f"'{order}'" for order in orders)
    with psycopg.connect(url, autocommit=True) as store:
        store.execute(f"ALTER TABLE payments ADD CONSTRAINT refusing CHECK (order_id NOT IN ({listed}))".encode())
        try:
            yield
        finally:
            store.execute("ALTER TABLE payments DROP CONSTRAINT refusing")


@contextmanager
def refused(_: str, line: Proxy) -> Iterator[None]:
    """Nobody listens."""
    line.refuse()
    try:
        yield
    finally:
        line.open()


@contextmanager
def dropped(url: str, _: Proxy) -> Iterator[None]:
    """Each connection is ended soon after it is made."""
    over = Event()

    def drop() -> None:
        with psycopg.connect(url, autocommit=True) as store:
            while not over.wait(0.005):
                store.execute(OURS)

    dropping = Thread(target=drop)
    dropping.start()
    try:
        yield
    finally:
        time.sleep(LASTS_S)
        over.set()
        dropping.join()


@contextmanager
def locked(url: str, _: Proxy) -> Iterator[None]:
    """Somebody else holds a table."""
    with psycopg.connect(url) as store:
        store.execute("LOCK TABLE payments IN ACCESS EXCLUSIVE MODE")
        yield


@contextmanager
def read_only(url: str, _: Proxy) -> Iterator[None]:
    """As after a failover: the connections that were made meanwhile stay what they are."""
    with psycopg.connect(url, autocommit=True) as store:
        store.execute("ALTER ROLE payment SET default_transaction_read_only = on")
        store.execute(OURS)
        try:
            yield
        finally:
            store.execute("ALTER ROLE payment RESET default_transaction_read_only")


@contextmanager
def too_many(url: str, _: Proxy) -> Iterator[None]:
    """No more connections are to be had."""
    with psycopg.connect(url, autocommit=True) as store:
        store.execute("ALTER DATABASE payment CONNECTION LIMIT 0")
        store.execute(OURS)
        try:
            yield
        finally:
            store.execute("ALTER DATABASE payment CONNECTION LIMIT -1")


@contextmanager
def deadlock(url: str, order: str, other: str) -> Iterator[None]:
    """Somebody has the second of two orders, and wants the first once it is had by whoever wants the second."""
    lock, rows = (
        "SELECT 1 FROM orders WHERE order_id = %s FOR UPDATE",
        "INSERT INTO orders (order_id) VALUES (%s), (%s)",
    )
    first, second = sorted((order, other))
    with psycopg.connect(url, autocommit=True) as looking, psycopg.connect(url) as holder:
        looking.execute(rows, [first, second])
        holder.execute(lock, [second])
        yield
        until(lambda: looking.execute(WAITING).fetchall(), bool)
        holder.execute(lock, [first])


def saying(state: str) -> Trouble:
    """Whatever is saved ends in this SQLSTATE."""

    @contextmanager
    def trouble(url: str, _: Proxy) -> Iterator[None]:
        with psycopg.connect(url, autocommit=True) as store:
            store.execute(
                f"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS"
                f" $$ BEGIN RAISE EXCEPTION 'a trouble' USING ERRCODE = '{state}'; END $$".encode()
            )
            store.execute("CREATE TRIGGER failing BEFORE INSERT ON payment_history EXECUTE FUNCTION fail()")
            try:
                yield
            finally:
                store.execute("DROP FUNCTION fail CASCADE")

    return trouble
