"""Orders that go through a chain of statuses, and assertions of what must exist in the end.

A domain event follows only from a status that comes after the one before, so lost or repeated work is visible.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.actors import Inbox, Shop, Store, new_order, until
from tests.builders import UPDATES

CHAIN = ("pending", "completed", "cancelled")
KNOWN = 4
DOMAIN_EVENTS = ["PaymentCompleted", "PaymentCancelled"]
TIMEOUT_S = 60.0

HISTORY = """
SELECT order_id, array_agg(payment_history.status ORDER BY inbox."offset") AS statuses,
       array_agg(DISTINCT payment_history.outcome) AS outcomes,
       (SELECT version FROM payments WHERE payments.order_id = payment_history.order_id) AS version,
       (SELECT status FROM payments WHERE payments.order_id = payment_history.order_id) AS status
  FROM payment_history JOIN inbox USING (event_id) WHERE order_id = ANY (%s) GROUP BY order_id
"""
EVENTS = "SELECT event_id FROM payment_history WHERE order_id = ANY (%s)"


@dataclass
class Orders:
    """`count` new orders of one customer, on all partitions."""

    system: dict[str, str]
    count: int = 12
    ids: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ids = [new_order() for _ in range(self.count)]
        self.customer = f"{new_order().lower()}@example.test"
        self.shop = Shop(self.system["GATEWAY_URL"], self.system["WEBHOOK_SECRET"])
        self.payments = Store(self.system["PAYMENT_DATABASE_URL"])

    @property
    def keys(self) -> list[bytes]:
        """The order ids as keys of records."""
        return [order.encode() for order in self.ids]

    def post_contacts(self) -> None:
        """Post the shop's order webhooks of KNOWN orders, so that mails about these are sent."""
        self._each(
            self.ids[:KNOWN],
            lambda order: [("order", {"orderId": order, "customerEmail": self.customer, "locale": "en"})],
        )

    def post_chain(self, *statuses: str) -> None:
        """Post these statuses, or all of CHAIN, of each order in turn, for several orders at a time."""
        self._each(self.ids, lambda order: [("payment", _said(order, status)) for status in statuses or CHAIN])

    def post_first_status(self) -> None:
        """Post the contacts and the first status, which publishes no domain event, and wait until it is applied."""
        self.post_contacts()
        self.post_chain(*CHAIN[:1])
        self.payments.wait_for("SELECT 1 FROM payments WHERE order_id = ANY (%s)", self.ids, count=self.count)

    def post_rest(self) -> None:
        """Post the statuses after the first."""
        self.post_chain(*CHAIN[1:])

    def wait_for_rows(self) -> list[dict[str, Any]]:
        """Return a row per order, by HISTORY, once each order has as many history rows as CHAIN has statuses."""
        look = lambda: self.payments.rows(HISTORY, self.ids)  # noqa: E731
        return until(look, lambda rows: [len(row["statuses"]) for row in rows] == [len(CHAIN)] * self.count, TIMEOUT_S)

    def assert_applied_once_in_order(self) -> None:
        """Assert that every status was applied once, in the order of CHAIN, and that none failed."""
        for row in self.wait_for_rows():
            assert row == {
                "order_id": row["order_id"],
                "statuses": list(CHAIN),
                "outcomes": ["processed"],
                "version": len(CHAIN),
                "status": CHAIN[-1],
            }

    def assert_applied_once(self) -> None:
        """Assert that every status was applied once, in any order, and that no event is left in `retries`."""
        rows = self.wait_for_rows()
        ends = [(row["version"], row["status"], sorted(row["statuses"])) for row in rows]
        assert ends == [(len(CHAIN), CHAIN[-1], sorted(CHAIN))] * self.count
        a_failed_event = "SELECT * FROM retries WHERE key = ANY (%s)"
        until(lambda: self.payments.rows(a_failed_event, self.keys), lambda rows: not rows)

    def assert_published_once_in_order(self, published: list[Any]) -> None:
        """Assert that the records of PAYMENTS have the domain events of each order in order, once by their ids."""
        for order in self.ids:
            domain_events = {
                domain_event.event_id: type(domain_event).__name__
                for domain_event in published
                if domain_event.order_id == order and not isinstance(domain_event, UPDATES)
            }
            assert list(domain_events.values()) == DOMAIN_EVENTS, (order, domain_events)

    def are_all_published(self, published: list[Any]) -> bool:
        """Return whether the records of PAYMENTS have all domain events of all orders."""
        events = [domain_event for domain_event in published if not isinstance(domain_event, UPDATES)]
        own = {event.event_id for event in events if event.order_id in set(self.ids)}
        return len(own) >= len(DOMAIN_EVENTS) * self.count

    def are_all_processed(self, outcomes: list[Any]) -> bool:
        """Return whether the records of OUTCOMES have `processed` for each webhook in the history."""
        events = {str(row["event_id"]) for row in self.payments.rows(EVENTS, self.ids)}
        return events <= {outcome.event_id for outcome in outcomes if outcome.outcome == "processed"}

    def assert_mailed_once(self) -> None:
        """Wait for the mails of the KNOWN orders, and assert that none came twice."""
        mails = Inbox(self.system["INBOX_URL"]).wait_for(self.customer, len(DOMAIN_EVENTS) * KNOWN)
        subjects = Counter(str(mail["Subject"]) for mail in mails)
        assert set(subjects.values()) == {1}
        assert len(subjects) == len(DOMAIN_EVENTS) * KNOWN

    def _each(self, ids: list[str], published: Any) -> None:
        with ThreadPoolExecutor(8) as senders:
            list(senders.map(lambda order: self._post(published(order)), ids))

    def _post(self, webhooks: list[tuple[str, dict[str, Any]]]) -> None:
        for kind, body in webhooks:
            until(partial(self.shop.post, kind, body), lambda reply: reply.status == 200)


def _said(order: str, status: str) -> dict[str, Any]:
    return {"orderId": order, "status": status, "amount": 58000, "transactionId": "TXN-1"}
