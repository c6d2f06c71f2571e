"""Orders that go through a chain of statuses, each of which depends on the one before; and what must come of them."""

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
    """So many orders of one customer, on all partitions."""

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
        """As the records have them."""
        return [order.encode() for order in self.ids]

    def become_known(self) -> None:
        """The shop says whose some of them are, so that mails go out."""
        self._each(
            self.ids[:KNOWN],
            lambda order: [("order", {"orderId": order, "customerEmail": self.customer, "locale": "en"})],
        )

    def go(self, *statuses: str) -> None:
        """Post the chain of each, many orders at a time."""
        self._each(self.ids, lambda order: [("payment", _said(order, status)) for status in statuses or CHAIN])

    def begin(self) -> None:
        """What nobody is told of is over, so that domain events follow from whatever comes next."""
        self.become_known()
        self.go(*CHAIN[:1])
        self.payments.wait_for("SELECT 1 FROM payments WHERE order_id = ANY (%s)", self.ids, count=self.count)

    def go_on(self) -> None:
        self.go(*CHAIN[1:])

    def are_done(self) -> list[dict[str, Any]]:
        """Their rows once every one has come to its end."""
        look = lambda: self.payments.rows(HISTORY, self.ids)  # noqa: E731
        return until(look, lambda rows: [len(row["statuses"]) for row in rows] == [len(CHAIN)] * self.count, TIMEOUT_S)

    def were_applied_once_in_order(self) -> None:
        for row in self.are_done():
            assert row == {
                "order_id": row["order_id"],
                "statuses": list(CHAIN),
                "outcomes": ["processed"],
                "version": len(CHAIN),
                "status": CHAIN[-1],
            }

    def end_as_wanted(self) -> None:
        """Whatever was tried again when: nothing is lost, and nothing is applied twice."""
        rows = self.are_done()
        ends = [(row["version"], row["status"], sorted(row["statuses"])) for row in rows]
        assert ends == [(len(CHAIN), CHAIN[-1], sorted(CHAIN))] * self.count
        a_failed_event = "SELECT * FROM retries WHERE key = ANY (%s)"
        until(lambda: self.payments.rows(a_failed_event, self.keys), lambda rows: not rows)

    def were_told_once_in_order(self, published: list[Any]) -> None:
        """`registers` are the records of their domain events' topic: one may be there twice, by the same id."""
        for order in self.ids:
            domain_events = {
                domain_event.event_id: type(domain_event).__name__
                for domain_event in published
                if domain_event.order_id == order and not isinstance(domain_event, UPDATES)
            }
            assert list(domain_events.values()) == DOMAIN_EVENTS, (order, domain_events)

    def all_told(self, published: list[Any]) -> bool:
        facts = [domain_event for domain_event in published if not isinstance(domain_event, UPDATES)]
        of_ours = {fact.event_id for fact in facts if fact.order_id in set(self.ids)}
        return len(of_ours) >= len(DOMAIN_EVENTS) * self.count

    def all_processed(self, outcomes: list[Any]) -> bool:
        """Whether it was told of each webhook that it was processed."""
        events = {str(row["event_id"]) for row in self.payments.rows(EVENTS, self.ids)}
        return events <= {outcome.event_id for outcome in outcomes if outcome.outcome == "processed"}

    def were_mailed_once(self) -> None:
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
