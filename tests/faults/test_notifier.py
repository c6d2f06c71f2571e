"""A notifier is killed at each step of a mail: nobody is mailed twice, and what nobody can know is called unknown."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from stream.events import topics
from tests.actors import TIMEOUT_S, Inbox, Shop, Store, new_order, until
from tests.log import reading
from tests.proxy import proxy
from tests.replicas import Replicas, replicas_of

TOPICS = topics.service("notifier").reads

pytestmark = pytest.mark.long

OF_ORDER = "SELECT notification_id::text AS id, status FROM notifications WHERE order_id = %s AND audience = 'customer'"
TIME_PASSES = "UPDATE notifications SET sending_since = now() - interval '1 hour' WHERE order_id = %s RETURNING 1"
OF_ORDERS = "SELECT order_id, status FROM notifications WHERE order_id = ANY (%s) AND audience = 'customer'"
ALL_ARE_DUE = "UPDATE notifications SET next_attempt_at = now() WHERE order_id = ANY (%s) RETURNING 1"
TIME_PASSES_FOR_ALL = """
UPDATE notifications SET sending_since = now() - interval '1 hour'
 WHERE order_id = ANY (%s) AND status = 'sending' RETURNING 1
"""
LANE, MANY = 4, 6
NOBODY = ""  # else the first mail may be one about another test's


@pytest.fixture(scope="module")
def notifiers(system: dict[str, str]) -> Iterator[Replicas]:
    """Notifiers, as many as a test starts."""
    with replicas_of(system, "notifier", len(TOPICS)) as replicas:
        yield replicas


@pytest.mark.parametrize(
    ("point", "becomes", "mails"),
    [
        ("sender.after_claim", "sent", 1),
        ("sender.before_dot", "unknown", 0),
        ("sender.after_dot", "unknown", 1),
        ("sender.after_reply", "unknown", 1),
        ("sender.after_publish", "sent", 1),
    ],
)
def test_a_notifier_killed_at_any_step_of_a_mail_never_sends_it_twice(
    point: str, becomes: str, mails: int, notifiers: Replicas, system: dict[str, str], inbox: Inbox
) -> None:
    rows, order = Store(system["NOTIFIER_DATABASE_URL"]), new_order()

    with reading(system, topics.NOTIFICATIONS) as published:
        doomed = notifiers.only(f"{point}:exit", OPERATOR_EMAIL=NOBODY)
        customer = pay(system, order)
        doomed.dies_of_its_fault()
        notifiers.running.clear()
        notifiers.start(OPERATOR_EMAIL=NOBODY)
        if becomes == "unknown":
            until(lambda: rows.rows(OF_ORDER, order), lambda found: [row["status"] for row in found] == ["sending"])
            rows.rows(TIME_PASSES, order)
        until(lambda: rows.rows(OF_ORDER, order), lambda found: [row["status"] for row in found] == [becomes])
        if becomes == "sent":
            published.wait_for(lambda one: one.order_id == order)

    assert len(inbox.wait_for(customer, mails)) == mails
    assert len({one.notification_id for one in published.records if one.order_id == order}) == (becomes == "sent")


@pytest.mark.parametrize(
    ("point", "unknown", "arrived"),
    [
        ("sender.after_claim", 0, 0),
        ("sender.before_dot", LANE, 0),
        ("sender.halfway_dots", LANE, LANE // 2),
        ("sender.after_dot", LANE, LANE),
        ("sender.after_reply", LANE, LANE),
        ("sender.after_publish", 0, 0),
    ],
)
def test_a_notifier_killed_amid_many_mails_leaves_at_most_a_lane_of_them_unknown_and_sends_none_twice(
    point: str, unknown: int, arrived: int, notifiers: Replicas, system: dict[str, str], inbox: Inbox
) -> None:
    """All are due before the doomed one starts, so its first lane is full. `arrived` of those that become unknown."""
    rows, orders = Store(system["NOTIFIER_DATABASE_URL"]), [new_order() for _ in range(MANY)]
    notifiers.only(SMTP_URL="smtp://127.0.0.1:1", OPERATOR_EMAIL=NOBODY)
    customers = {order: pay(system, order) for order in orders}
    until(lambda: rows.rows(OF_ORDERS, orders), lambda found: [row["status"] for row in found] == ["queued"] * MANY)
    notifiers.none()
    rows.rows(ALL_ARE_DUE, orders)

    doomed = notifiers.start(f"{point}:exit", OPERATOR_EMAIL=NOBODY, MAIL_CONNECTIONS=str(LANE))
    doomed.dies_of_its_fault()
    notifiers.running.clear()
    left = [row["order_id"] for row in rows.rows(OF_ORDERS, orders) if row["status"] == "sending"]
    rows.rows(TIME_PASSES_FOR_ALL, orders)
    notifiers.start(OPERATOR_EMAIL=NOBODY, MAIL_CONNECTIONS=str(LANE))
    ends = until(
        lambda: {row["order_id"]: row["status"] for row in rows.rows(OF_ORDERS, orders)},
        lambda found: {*found.values()} <= {"sent", "unknown"},
    )

    assert sorted(order for order, status in ends.items() if status == "unknown") == sorted(left)
    assert len(left) == unknown
    until(lambda: [len(inbox.mails_to(customers[order])) for order in left], lambda counts: sum(counts) == arrived)
    assert all(len(inbox.mails_to(customer)) <= 1 for customer in customers.values())
    assert all(len(inbox.wait_for(customers[order])) == 1 for order in orders if ends[order] == "sent")


def test_a_mail_whose_sending_was_committed_unheard_is_sent_after_all(
    notifiers: Replicas, system: dict[str, str], inbox: Inbox
) -> None:
    """Its row says that it may have been sent; the notifier knows that it was not."""
    url, rows, order = urlsplit(system["NOTIFIER_DATABASE_URL"]), Store(system["NOTIFIER_DATABASE_URL"]), new_order()
    with proxy(url.hostname or "", url.port or 0) as line:
        line.drop_commit_reply_of = b"SET status = 'sending'"
        notifiers.only(
            DATABASE_URL=url._replace(netloc=f"{url.username}:{url.password}@127.0.0.1:{line.port}").geturl()
        )

        customer = pay(system, order)
        assert line.reply_dropped.wait(TIMEOUT_S)

        until(lambda: rows.rows(OF_ORDER, order), lambda found: [row["status"] for row in found] == ["sent"])
        assert len(inbox.wait_for(customer)) == 1


def pay(system: dict[str, str], order: str) -> str:
    """A payment of which one customer is to be told."""
    shop, customer = Shop(system["GATEWAY_URL"], system["WEBHOOK_SECRET"]), f"{order.lower()}@example.test"
    shop.post("order", {"orderId": order, "customerEmail": customer})
    shop.post("payment", {"orderId": order, "status": "completed", "amount": 58000})
    return customer
