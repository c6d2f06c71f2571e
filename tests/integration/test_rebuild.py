"""A store that was lost comes back from the topics: the same rows, no mail, nothing announced twice."""

import subprocess
from contextlib import suppress

import psycopg
import pytest

from stream.events import Outcome, topics
from stream.events.topics import PARTITIONS, Topic
from tests.actors import Inbox, Shop, Store, new_order, until
from tests.failing import hookstream
from tests.log import append, reading
from tests.replays import ask, refusal, start, until_handled

pytestmark = pytest.mark.long

SERVICES = ("payment", "shipping", "refund", "notifier", "confirmer", "console")


def test_a_store_that_is_not_lost_is_left_alone(shop: Shop, payments: Store, system: dict[str, str]) -> None:
    pay(shop, order := new_order())
    payments.wait_for("SELECT 1 FROM payments WHERE order_id = %s", order)

    assert "is not lost" in refusal(system, "payment", "rebuild")


@pytest.mark.parametrize(
    ("service", "table", "announced"),
    [
        ("payment", "payments", topics.PAYMENTS),
        ("notifier", "notifications", topics.NOTIFICATIONS),
        ("console", "webhooks", topics.OUTCOMES),
    ],
)
def test_a_lost_store_comes_back_and_nobody_hears_of_it(
    shop: Shop, inbox: Inbox, system: dict[str, str], service: str, table: str, announced: Topic
) -> None:
    store = Store(system[f"{service.upper()}_DATABASE_URL"])
    _, customer = a_paid_order(shop, inbox)
    until_handled(system, *SERVICES)
    before = rows(store, table)
    lose(store)

    with reading(system, announced) as published:
        ask(system, service, "rebuild")
        assert rows(store, table) == before
        again = [record for record in published.read() if getattr(record, "service", "") != service]

    assert again == []
    assert len(inbox.mails_to(customer)) == 1
    _, next_customer = a_paid_order(shop, inbox)
    assert len(inbox.mails_to(next_customer)) == 1
    until_handled(system, *SERVICES)
    assert len(rows(store, table)) > len(before)


def test_a_rebuilt_store_knows_what_was_dismissed(payments: Store, system: dict[str, str]) -> None:
    dismissed, stored = new_order(), new_order()
    of_order = "SELECT event_id::text AS id, status, dismissed_because AS why FROM retries WHERE key = %s"
    for order in (dismissed, stored):
        append(system, topics.PAYMENT_WEBHOOKS, order, f"{order} is no record".encode())
    (row,) = payments.wait_for(of_order, dismissed.encode())
    payments.wait_for(of_order, stored.encode())
    with reading(system, topics.dead("payment")) as letters:
        hookstream(system, "dead", "dismiss", row["id"], "--because", "test data")
        letters.wait_for(lambda one: isinstance(one, Outcome) and one.event_id == row["id"])
    lose(payments)

    ask(system, "payment", "rebuild")

    assert payments.rows(of_order, dismissed.encode()) == [{"id": row["id"], "status": "dismissed", "why": "test data"}]
    (other,) = payments.rows(of_order, stored.encode())
    assert (other["status"], other["why"]) == ("dead", None)


def test_what_came_while_a_store_was_lost_is_told_and_mailed_when_it_is_back(
    shop: Shop, inbox: Inbox, payments: Store, system: dict[str, str]
) -> None:
    until_handled(system, *SERVICES)
    lose(payments)
    orders = [new_order() for _ in range(PARTITIONS)]
    for order in orders:
        shop.post("order", {"orderId": order, "customerEmail": f"{order.lower()}@example.test"})
        pay(shop, order)

    ask(system, "payment", "rebuild")

    for order in orders:
        assert len(inbox.wait_for(f"{order.lower()}@example.test")) == 1


def test_a_domain_event_without_a_record_of_its_mail_is_unknown_and_nobody_is_ever_mailed_it(
    shop: Shop, inbox: Inbox, notifications: Store, system: dict[str, str]
) -> None:
    pay(shop, order := new_order())
    status = "SELECT status FROM notifications WHERE order_id = %s AND audience = 'customer'"
    assert notifications.wait_for(status, order) == [{"status": "waiting"}]
    until_handled(system, *SERVICES)
    lose(notifications)

    ask(system, "notifier", "rebuild")

    assert notifications.rows(status, order) == [{"status": "unknown"}]
    customer = f"{order.lower()}@example.test"
    shop.post("order", {"orderId": order, "customerEmail": customer})
    a_paid_order(shop, inbox)  # told and mailed after it
    until_handled(system, "notifier")
    assert notifications.rows(status, order) == [{"status": "unknown"}]
    assert inbox.mails_to(customer) == []


def test_a_rebuild_that_is_killed_goes_on(shop: Shop, inbox: Inbox, payments: Store, system: dict[str, str]) -> None:
    a_paid_order(shop, inbox)
    until_handled(system, "payment")
    before = rows(payments, "payments")
    lose(payments)

    for seconds in (1.5, 2.0, 2.5):
        process = start(system, "payment", "rebuild")
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=seconds)
        process.kill()
        process.communicate()
    if not payments.rows("SELECT to_regclass('public.inbox') AS there")[0]["there"]:
        ask(system, "payment", "rebuild")

    assert rows(payments, "payments") == before


def a_paid_order(shop: Shop, inbox: Inbox) -> tuple[str, str]:
    order = new_order()
    customer = f"{order.lower()}@example.test"
    shop.post("order", {"orderId": order, "customerEmail": customer})
    pay(shop, order)
    inbox.wait_for(customer)
    return order, customer


def pay(shop: Shop, order: str) -> None:
    assert shop.post("payment", {"orderId": order, "status": "completed", "amount": 58000}).status == 200


def lose(store: Store) -> None:
    """All of it, as after a disk that nobody had a copy of."""

    def drop() -> bool:
        with suppress(psycopg.errors.DeadlockDetected), psycopg.connect(store.url) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
            return True
        return False

    until(drop, bool)  # the service is at work in it


KEYS = {
    "payments": ("order_id", "status"),
    "notifications": ("notification_id", "status"),
    "webhooks": ("webhook_id", "status"),
}

LOST = dict.fromkeys(("waiting", "stale", "queued", "no_recipient", "failed"), "unknown")
"""What stands on no topic is not guessed."""


def rows(store: Store, table: str) -> list[tuple[object, ...]]:
    key, state = KEYS[table]
    found = store.rows(f"SELECT {key} AS key, {state} AS state FROM {table} ORDER BY 1")
    return [(row["key"], LOST.get(row["state"], row["state"])) for row in found]
