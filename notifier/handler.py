"""Apply a batch of events in one transaction: store contacts, queue one mail per event and audience, release mails.

The sender sends the mails after the commit.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from notifier import in_app, operator_alerts
from notifier.contacts import parsing
from notifier.contacts import store as contact_store
from notifier.contacts.parsing import Contact
from notifier.queue import new_mails
from notifier.recipients import audiences
from runtime.logging import log
from stream.events import CustomerWebhook, DeadRecord, DomainEvent, OrderWebhook, Outcome, QuarantinedWebhook
from stream.state.fold import Result

NotifierEvent = OrderWebhook | CustomerWebhook | DomainEvent | DeadRecord | QuarantinedWebhook | Outcome


def handle(tx: Connection, events: Sequence[NotifierEvent], *, operator: str | None, max_age_s: float) -> list[Result]:
    """Apply new events and return a result for each, in order, all `processed`. The caller commits `tx`.

    An Outcome changes nothing. `operator` is the operator's address; without one, no mail to operators is queued. A
    mail whose webhook was received more than `max_age_s` ago is stored as `stale`, which is not sent.
    """
    orders = [event for event in events if isinstance(event, OrderWebhook)]
    customers = [event for event in events if isinstance(event, CustomerWebhook)]
    mails = [mail for event in events if isinstance(event, DomainEvent) for mail in _new_mails(event, operator)]
    contact_store.lock(tx, orders, customers, [mail.event for mail in mails])
    contact_store.save_orders(tx, orders)
    contact_store.save_customers(tx, customers)
    new_mails.queue(tx, mails, max_age_s)
    touched = new_mails.touched(tx, mails, orders, customers)
    new_mails.release(tx, touched, mails, max_age_s)
    in_app.write(tx, touched)
    operator_alerts.raise_dead(tx, [event for event in events if isinstance(event, DeadRecord)])
    operator_alerts.raise_quarantined(tx, [event for event in events if isinstance(event, QuarantinedWebhook)])
    _report_unusable(orders, customers, mails)
    return [Result(_key_of(event), "processed", ()) for event in events]


def _new_mails(event: DomainEvent, operator: str | None) -> list[new_mails.NewMail]:
    return [
        new_mails.NewMail(event, audience, _contact_of(event, operator if audience == "operator" else None))
        for audience in audiences(event)
        if audience != "operator" or operator
    ]


def _contact_of(event: DomainEvent, operator: str | None) -> Contact:
    """Return `operator` if there is one, which the settings have checked; else the contact in the event."""
    return Contact(operator, None) if operator else parsing.parse(event.contact, "the event's contact")


def _report_unusable(
    orders: Sequence[OrderWebhook], customers: Sequence[CustomerWebhook], mails: Sequence[new_mails.NewMail]
) -> None:
    for order in orders:
        for contact in (parsing.customer_of(order.payload), parsing.seller_of(order.payload)):
            if contact.problem:
                log.warning("contact.unusable", order_id=order.payload.order_id, error=contact.problem)
    for customer in customers:
        if problem := parsing.contact_of(customer.payload).problem:
            log.warning("contact.unusable", to=customer.payload.customer_id, error=problem)
    for mail in mails:
        if mail.contact.problem:
            log.warning("contact.unusable", id=mail.event.event_id, error=mail.contact.problem)


def _key_of(event: NotifierEvent) -> str:
    if isinstance(event, DomainEvent):
        return event.order_id or event.customer_id or event.event_id
    if isinstance(event, DeadRecord | QuarantinedWebhook | Outcome):
        return event.event_id
    return event.payload.customer_id if isinstance(event, CustomerWebhook) else event.payload.order_id
