"""A notifier is killed at each step of a mail: nobody is mailed twice, and what nobody can know is called unknown."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from notifier.handler import TOPICS
from stream import topics
from tests.actors import PATIENCE_S, Inbox, Shop, Store, new_order, until
from tests.log import reading
from tests.proxy import proxy
from tests.replicas import Replicas, replicas_of

pytestmark = pytest.mark.long

OF_ORDER = "SELECT notification_id::text AS id, status FROM notifications WHERE order_id = %s AND audience = 'customer'"
TIME_PASSES = "UPDATE notifications SET sending_since = now() - interval '1 hour' WHERE order_id = %s RETURNING 1"
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

    with reading(system, topics.NOTIFICATIONS) as told:
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
            told.wait_for(lambda one: one.order_id == order)

    assert len(inbox.wait_for(customer, mails)) == mails
    assert len({one.notification_id for one in told.records if one.order_id == order}) == (becomes == "sent")


def test_a_mail_whose_sending_was_committed_unheard_is_sent_after_all(
    notifiers: Replicas, system: dict[str, str], inbox: Inbox
) -> None:
    """Its row says that it may have been sent; the notifier knows that it was not."""
    url, rows, order = urlsplit(system["NOTIFIER_DATABASE_URL"]), Store(system["NOTIFIER_DATABASE_URL"]), new_order()
    with proxy(url.hostname or "", url.port or 0) as line:
        line.deaf_to = b"SET status = 'sending'"
        notifiers.only(
            DATABASE_URL=url._replace(netloc=f"{url.username}:{url.password}@127.0.0.1:{line.port}").geturl()
        )

        customer = pay(system, order)
        assert line.unheard.wait(PATIENCE_S)

        until(lambda: rows.rows(OF_ORDER, order), lambda found: [row["status"] for row in found] == ["sent"])
        assert len(inbox.wait_for(customer)) == 1


def pay(system: dict[str, str], order: str) -> str:
    """A payment of which one customer is to be told."""
    shop, customer = Shop(system["GATEWAY_URL"], system["WEBHOOK_SECRET"]), f"{order.lower()}@example.test"
    shop.post("order", {"orderId": order, "customerEmail": customer})
    shop.post("payment", {"orderId": order, "status": "completed", "amount": 58000})
    return customer
