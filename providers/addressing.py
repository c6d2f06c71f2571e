"""Routes the record of a webhook: its topic, by the type of its payload, and its key there."""

from collections.abc import Callable
from typing import NamedTuple

from stream.events import (
    BillingPayload,
    BillingWebhook,
    CustomerPayload,
    CustomerWebhook,
    DisputePayload,
    DisputeWebhook,
    Envelope,
    InvoicePayload,
    InvoiceWebhook,
    OrderPayload,
    OrderWebhook,
    Payload,
    PaymentPayload,
    PaymentWebhook,
    RefundPayload,
    RefundWebhook,
    ShippingPayload,
    ShippingWebhook,
    TransferPayload,
    TransferWebhook,
    UnconfirmedWebhook,
    VerificationRequest,
    Webhook,
    topics,
)
from stream.events.topics import Topic


class KeyedWebhook(NamedTuple):
    """The record of a webhook, the topic it belongs to and its key there."""

    topic: Topic
    key: str
    webhook: Webhook


def keyed_webhook(envelope: Envelope, payload: Payload) -> KeyedWebhook:
    """Return the record of `envelope` and `payload`, with its topic, by the type of the payload, and its key."""
    topic, record = _ROUTES[type(payload)]
    webhook = record(envelope=envelope, payload=payload)
    return KeyedWebhook(topic, topic.key(webhook), webhook)


_ROUTES: dict[type[Payload], tuple[Topic, Callable[..., Webhook]]] = {
    PaymentPayload: (topics.PAYMENT_WEBHOOKS, PaymentWebhook),
    ShippingPayload: (topics.SHIPPING_WEBHOOKS, ShippingWebhook),
    RefundPayload: (topics.REFUND_WEBHOOKS, RefundWebhook),
    OrderPayload: (topics.ORDERS, OrderWebhook),
    CustomerPayload: (topics.CUSTOMERS, CustomerWebhook),
    BillingPayload: (topics.PAYMENT_WEBHOOKS, BillingWebhook),
    DisputePayload: (topics.PAYMENT_WEBHOOKS, DisputeWebhook),
    InvoicePayload: (topics.INVOICE_WEBHOOKS, InvoiceWebhook),
    TransferPayload: (topics.INVOICE_WEBHOOKS, TransferWebhook),
    VerificationRequest: (topics.UNCONFIRMED, UnconfirmedWebhook),
}
