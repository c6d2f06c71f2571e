"""Routes the record of a webhook: its topic, by the type of its notice, and its key there."""

from collections.abc import Callable
from typing import NamedTuple

from stream.events import (
    BillingNotice,
    BillingWebhook,
    CustomerNotice,
    CustomerWebhook,
    DisputeNotice,
    DisputeWebhook,
    Envelope,
    InvoiceNotice,
    InvoiceWebhook,
    Notice,
    OrderNotice,
    OrderWebhook,
    PaymentNotice,
    PaymentWebhook,
    Question,
    RefundNotice,
    RefundWebhook,
    ShippingNotice,
    ShippingWebhook,
    TransferNotice,
    TransferWebhook,
    UnconfirmedWebhook,
    Webhook,
    topics,
)
from stream.events.topics import Topic


class KeyedWebhook(NamedTuple):
    """A record, the topic it belongs to and its key there."""

    topic: Topic
    key: str
    webhook: Webhook


def keyed_webhook(envelope: Envelope, notice: Notice) -> KeyedWebhook:
    """Return the record for a notice, with its topic and key."""
    topic, record = _ROUTES[type(notice)]
    webhook = record(envelope=envelope, notice=notice)
    return KeyedWebhook(topic, topic.key(webhook), webhook)


_ROUTES: dict[type[Notice], tuple[Topic, Callable[..., Webhook]]] = {
    PaymentNotice: (topics.PAYMENT_WEBHOOKS, PaymentWebhook),
    ShippingNotice: (topics.SHIPPING_WEBHOOKS, ShippingWebhook),
    RefundNotice: (topics.REFUND_WEBHOOKS, RefundWebhook),
    OrderNotice: (topics.ORDERS, OrderWebhook),
    CustomerNotice: (topics.CUSTOMERS, CustomerWebhook),
    BillingNotice: (topics.PAYMENT_WEBHOOKS, BillingWebhook),
    DisputeNotice: (topics.PAYMENT_WEBHOOKS, DisputeWebhook),
    InvoiceNotice: (topics.INVOICE_WEBHOOKS, InvoiceWebhook),
    TransferNotice: (topics.INVOICE_WEBHOOKS, TransferWebhook),
    Question: (topics.UNCONFIRMED, UnconfirmedWebhook),
}
