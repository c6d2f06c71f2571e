"""A store that fails parks nothing: the processor keeps its place in the group and its batch, and goes on by itself."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from stream.events import topics
from tests.actors import TIMEOUT_S, Shop, Store, new_order, until
from tests.builders import a_payment
from tests.faults import troubles
from tests.faults.orders import Orders
from tests.faults.troubles import StoreFault
from tests.log import append_at_once, reading
from tests.proxy import Proxy, proxy
from tests.replicas import Replica, Replicas

pytestmark = pytest.mark.long

RETRIES = "SELECT * FROM retries WHERE key = ANY (%s)"
SIGNS = ("partitions.assigned", "partitions.revoked", "partitions.lost")
SOON = "from stream.kafka.group.consumer import CONSUMER; CONSUMER['max.poll.interval.ms'] = 2000"
KINDS: dict[str, tuple[StoreFault, str]] = {
    "refused": (troubles.refused, "OperationalError"),
    "dropped": (troubles.dropped, ""),
    "locked": (troubles.locked, "LockNotAvailable (55P03)"),
    "read only": (troubles.read_only, "ReadOnlySqlTransaction (25006)"),
    "too many connections": (troubles.too_many, "OperationalError"),
    **{
        f"says {state}": (troubles.raising(state), f"({state})")
        for state in ("08006", "40001", "53100", "55000", "57014", "58030", "XX000")
    },
}
TIMES = {"refused": 6}  # for longer than Kafka would wait for a processor that does not poll


@pytest.fixture(scope="module")
def line(system: dict[str, str]) -> Iterator[Proxy]:
    """How the processor reaches its store."""
    address = urlsplit(system["PAYMENT_DATABASE_URL"])
    with proxy(address.hostname or "", address.port or 0) as relay:
        yield relay


@pytest.fixture
def processor(processors: Replicas, system: dict[str, str], line: Proxy) -> Replica:
    """The only one; Kafka would take it for dead if it did not poll for 2 s."""
    alive = [replica for replica in processors.running if replica.process.poll() is None]
    return alive[0] if alive else processors.only(prologue=SOON, DATABASE_URL=through(line, system, lock_timeout=1500))


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_that_fails_retries_nothing_and_costs_nobody_its_place(
    kind: str, processor: Replica, system: dict[str, str], payments: Store, line: Proxy
) -> None:
    trouble, error = KINDS[kind]
    orders, before = Orders(system, count=4), standing(processor)
    failures = len(processor.lines("store.failed"))

    with reading(system, topics.PAYMENTS) as published:
        with trouble(system["PAYMENT_DATABASE_URL"], line):
            orders.post_chain()
            failed = processor.wait_for("store.failed", failures + TIMES.get(kind, 3))[failures:]
            until(processor.is_ready, lambda ready: not ready or kind == "dropped")
        orders.assert_applied_once_in_order()
        published.wait_until(orders.are_all_published)

    assert any(error in line["error"] for line in failed), failed
    assert standing(processor) == before
    assert payments.rows(RETRIES, orders.keys) == []
    orders.assert_published_once_in_order(published.records)
    until(processor.is_ready, bool)


def test_a_deadlock_is_the_stores_failure_and_its_victim_tries_again(
    processor: Replica, system: dict[str, str], payments: Store
) -> None:
    pair, before = (new_order(), new_order()), standing(processor)
    failures = len(processor.lines("store.failed"))

    with troubles.deadlock(payments.url, *pair):
        append_at_once(system, topics.PAYMENT_WEBHOOKS, 0, [a_payment(order=order) for order in pair])

    failed = processor.wait_for("store.failed", failures + 1)[failures:]
    applied = payments.wait_for("SELECT version FROM payments WHERE order_id = ANY (%s)", list(pair), count=2)
    assert failed[0]["error"] == "DeadlockDetected (40P01)"
    assert applied == [{"version": 1}] * 2
    assert (standing(processor), payments.rows(RETRIES, [order.encode() for order in pair])) == (before, [])


def test_a_processor_too_slow_for_its_transaction_is_thrown_out_and_tries_again(
    processors: Replicas, system: dict[str, str], payments: Store, line: Proxy
) -> None:
    short_session = through(line, system, idle_in_transaction_session_timeout=300)
    slow = processors.only("worker.before_commit:sleep:1.5", DATABASE_URL=short_session)
    orders = Orders(system, count=4)

    orders.post_chain()

    orders.assert_applied_once_in_order()
    assert "IdleInTransactionSessionTimeout (25P03)" in [line["error"] for line in slow.lines("store.failed")]
    assert payments.rows(RETRIES, orders.keys) == []
    processors.end()


def test_a_commit_whose_answer_is_never_heard_is_found_out_and_what_it_left_is_published(
    processor: Replica, system: dict[str, str], payments: Store, line: Proxy
) -> None:
    """The batch is handled, its messages are in the outbox, and the inbox would have them told to nobody."""
    order, shop = new_order(), Shop(system["GATEWAY_URL"], system["WEBHOOK_SECRET"])
    failures = len(processor.lines("store.failed"))

    with reading(system, topics.PAYMENTS) as published:
        line.drop_commit_reply_of = order.encode()
        shop.post("payment", {"orderId": order, "status": "completed", "amount": 58000})
        assert line.reply_dropped.wait(TIMEOUT_S)
        published.wait_for(lambda event: event.order_id == order)

    processor.wait_for("store.failed", failures + 1)
    assert payments.rows("SELECT version FROM payments WHERE order_id = %s", order) == [{"version": 1}]
    until(lambda: payments.rows("SELECT * FROM outbox WHERE key = %s", order.encode()), lambda left: not left)


def standing(processor: Replica) -> list[str]:
    return [line["event"] for line in processor.lines() if line["event"] in SIGNS]


def through(line: Proxy, system: dict[str, str], **options: object) -> str:
    url = urlsplit(system["PAYMENT_DATABASE_URL"])
    set_to = "%20".join(f"-c%20{name}%3D{value}" for name, value in options.items())
    return url._replace(
        netloc=f"{url.username}:{url.password}@127.0.0.1:{line.port}", query=f"options={set_to}"
    ).geturl()
