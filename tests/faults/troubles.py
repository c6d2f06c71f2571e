"""Ways in which a store fails during a block; each is a StoreFault, except `deadlock`."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Event, Thread

import psycopg

from tests.actors import until
from tests.proxy import Proxy

StoreFault = Callable[[str, Proxy], AbstractContextManager[None]]
"""A context manager, given the URL of the payment store and the proxy between the processor and the store."""

OURS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hookstream-payment'"
WAITING = """
SELECT 1 FROM pg_stat_activity WHERE application_name = 'hookstream-payment' AND wait_event_type = 'Lock'
"""
LASTS_S = 2.0


@contextmanager
def refused(_: str, line: Proxy) -> Iterator[None]:
    """Refuse all connections."""
    line.refuse()
    try:
        yield
    finally:
        line.open()


@contextmanager
def dropped(url: str, _: Proxy) -> Iterator[None]:
    """Terminate each connection of the processor soon after it is made, for LASTS_S after the block too."""
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
    """Hold an exclusive lock on the table `payments`."""
    with psycopg.connect(url) as store:
        store.execute("LOCK TABLE payments IN ACCESS EXCLUSIVE MODE")
        yield


@contextmanager
def read_only(url: str, _: Proxy) -> Iterator[None]:
    """Make transactions of the service's role read-only, as after a failover.

    Connections made during the block stay read-only after it.
    """
    with psycopg.connect(url, autocommit=True) as store:
        store.execute("ALTER ROLE payment SET default_transaction_read_only = on")
        store.execute(OURS)
        try:
            yield
        finally:
            store.execute("ALTER ROLE payment RESET default_transaction_read_only")


@contextmanager
def too_many(url: str, _: Proxy) -> Iterator[None]:
    """Allow no connections to the database, and cut those that exist."""
    with psycopg.connect(url, autocommit=True) as store:
        store.execute("ALTER DATABASE payment CONNECTION LIMIT 0")
        store.execute(OURS)
        try:
            yield
        finally:
            store.execute("ALTER DATABASE payment CONNECTION LIMIT -1")


@contextmanager
def deadlock(url: str, order: str, other: str) -> Iterator[None]:
    """Lock the second of two orders, by id; after the block, wait until a processor waits for it, and lock the first.

    The processor, which holds the first order by then, and this transaction are in a deadlock.
    """
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


def raising(state: str) -> StoreFault:
    """Return the fault by which every insert into `payment_history` raises this SQLSTATE."""

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
