"""One transaction of the notifier: learn who is who, queue a message per fact and audience, wake what waited."""

from collections.abc import Sequence

from sqlalchemy import Connection

from notifier import contacts, in_app, operator_alerts, store
from notifier.contacts import Contact
from notifier.recipients import audiences
from runtime.logging import log
from stream.events import CustomerWebhook, DeadRecord, DomainEvent, OrderWebhook, Outcome, QuarantinedWebhook, topics
from stream.state.fold import Result

TOPICS = topics.READ_BY["notifier"]
Told = OrderWebhook | CustomerWebhook | DomainEvent | DeadRecord | QuarantinedWebhook | Outcome


def handle(tx: Connection, events: Sequence[Told], *, operator: str | None, max_age_s: float) -> list[Result]:
    """Apply new events. The mails themselves are sent after the commit, by the sender."""
    orders = [event for event in events if isinstance(event, OrderWebhook)]
    customers = [event for event in events if isinstance(event, CustomerWebhook)]
    messages = [message for event in events if isinstance(event, DomainEvent) for message in _messages(event, operator)]
    store.lock(tx, orders, customers, [message.fact for message in messages])
    store.save_orders(tx, orders)
    store.save_customers(tx, customers)
    store.queue(tx, messages, max_age_s)
    touched = store.touched(tx, messages, orders, customers)
    store.wake(tx, touched, messages, max_age_s)
    in_app.write(tx, touched)
    operator_alerts.abandoned(tx, [event for event in events if isinstance(event, DeadRecord)])
    operator_alerts.quarantined(tx, [event for event in events if isinstance(event, QuarantinedWebhook)])
    _report_unusable(orders, customers, messages)
    return [Result(_key(event), "processed", ()) for event in events]


def _messages(fact: DomainEvent, operator: str | None) -> list[store.Message]:
    return [
        store.Message(fact, audience, _contact(fact, operator if audience == "operator" else None))
        for audience in audiences(fact)
        if audience != "operator" or operator
    ]


def _contact(fact: DomainEvent, operator: str | None) -> Contact:
    """The operator's address is checked at the start."""
    return Contact(operator, None) if operator else contacts.judge(fact.contact, "the event's contact")


def _report_unusable(
    orders: Sequence[OrderWebhook], customers: Sequence[CustomerWebhook], messages: Sequence[store.Message]
) -> None:
    for order in orders:
        for contact in (contacts.customer_of(order.notice), contacts.seller_of(order.notice)):
            if contact.problem:
                log.warning("contact.unusable", order_id=order.notice.order_id, error=contact.problem)
    for customer in customers:
        if problem := contacts.of(customer.notice).problem:
            log.warning("contact.unusable", to=customer.notice.customer_id, error=problem)
    for message in messages:
        if message.contact.problem:
            log.warning("contact.unusable", id=message.fact.event_id, error=message.contact.problem)


def _key(event: Told) -> str:
    if isinstance(event, DomainEvent):
        return event.order_id or event.customer_id or event.event_id
    if isinstance(event, DeadRecord | QuarantinedWebhook | Outcome):
        return event.event_id
    return event.notice.customer_id if isinstance(event, CustomerWebhook) else event.notice.order_id
