"""One transaction of the notifier: learn who is who, queue a message per fact and audience, wake what waited."""

from collections.abc import Sequence

from sqlalchemy import Connection

from notifier import store
from notifier.audience import AUDIENCES
from stream import topics
from stream.events import CustomerWebhook, Fact, OrderWebhook
from stream.fold import Result

TOPICS = (topics.ORDERS, topics.CUSTOMERS, topics.PAYMENTS, topics.SHIPMENTS, topics.REFUNDS)


def handle(
    tx: Connection, events: Sequence[OrderWebhook | CustomerWebhook | Fact], *, operator: str | None
) -> list[Result]:
    """Apply new events. The mails themselves are sent after the commit, by the sender."""
    orders = [event for event in events if isinstance(event, OrderWebhook)]
    customers = [event for event in events if isinstance(event, CustomerWebhook)]
    messages = [message for event in events if isinstance(event, Fact) for message in _messages(event, operator)]
    store.lock(tx, orders, customers, [message.fact for message in messages])
    store.save_orders(tx, orders)
    store.save_customers(tx, customers)
    store.queue(tx, messages)
    store.wake(tx, messages, orders, customers)
    return [Result(_key(event), "processed", ()) for event in events]


def _messages(fact: Fact, operator: str | None) -> list[store.Message]:
    audiences = AUDIENCES.get(type(fact), ())
    return [
        store.Message(fact, audience, operator if audience == "operator" else fact.contact)
        for audience in audiences
        if audience != "operator" or operator
    ]


def _key(event: OrderWebhook | CustomerWebhook | Fact) -> str:
    if isinstance(event, Fact):
        return event.order_id or event.event_id
    return event.notice.customer_id if isinstance(event, CustomerWebhook) else event.notice.order_id
