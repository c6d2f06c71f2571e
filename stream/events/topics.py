"""Defines every topic: name, records, record key and retention; and the topics that each service reads."""

import os
import re
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stream import events
from stream.events import Record


def _setting(name: str) -> str:
    """Read a setting from the environment or its `…_FILE`.

    It is read here because topics are constants; `runtime.config.settings` rejects a wrong value at the start.
    """
    with suppress(OSError):
        if path := os.environ.get(f"{name}_FILE"):
            return os.environ.get(name) or Path(path).read_text().strip()
    return os.environ.get(name, "").strip()


PARTITIONS = int(number) if (number := _setting("TOPIC_PARTITIONS")).isdecimal() else 12
"""The number of partitions of each topic. Events are ordered per key only because a key's partition never changes, so
more partitions require copying the records into a `.v2` topic."""
PREFIX = _setting("TOPIC_PREFIX")
FOREVER = -1
WEEK_MS = 7 * 24 * 3600 * 1000
MONTH_MS = 30 * 24 * 3600 * 1000
_SEPARATORS = re.compile(r"[\s\u00ad\u2010-\u2015\u2212-]+")
"""Spaces, hyphens and dashes."""


def parcel_number(number: str) -> str:
    """Return a tracking number as it appears in a parcel's key: without spaces and hyphens, in upper case.

    Carriers and people write the same number with and without groups. The record keeps the original spelling too.
    """
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", number)).upper() or number


def _by_notification(record: Any) -> str:
    return str(record.notification_id)


def _by_event(record: Any) -> str:
    return str(record.event_id)


def _by_order(webhook: Any) -> str:
    """Return the order id, else the provider's reference of the payment."""
    return webhook.notice.order_id or f"{webhook.envelope.provider}:{webhook.notice.reference}"


def _by_parcel(webhook: Any) -> str:
    """Return the carrier and tracking number, since an order may have several parcels; without one, as `_by_order`."""
    notice = webhook.notice
    if notice.tracking_number:
        return f"{notice.carrier_code or webhook.envelope.provider}:{parcel_number(notice.tracking_number)}"
    return _by_order(webhook)


def _by_invoice(webhook: Any) -> str:
    """Return the invoice id, else the reference of the transfer that pays it."""
    return webhook.notice.invoice_id or f"{webhook.envelope.provider}:{webhook.notice.reference}"


def _by_reference(webhook: Any) -> str:
    return f"{webhook.envelope.provider}:{webhook.notice.reference}"


def _by_customer(webhook: Any) -> str:
    return str(webhook.notice.customer_id)


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic and the records it carries.

    `key` computes a record's key: records with the same key stay in order. The worker keys domain events by their
    aggregate instead. `retention_ms` is FOREVER by default, so that a replay can read all records.
    """

    base_name: str
    records: tuple[type[Record], ...]
    key: Callable[[Any], str] = _by_event
    retention_ms: int = FOREVER
    name: str = field(init=False)
    """The name in Kafka and in the stores, with the prefix."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", f"{PREFIX}{self.base_name}")


PAYMENT_WEBHOOKS = Topic(
    "webhooks.payment.v1", (events.PaymentWebhook, events.BillingWebhook, events.DisputeWebhook), _by_order
)
SHIPPING_WEBHOOKS = Topic("webhooks.shipping.v1", (events.ShippingWebhook,), _by_parcel)
REFUND_WEBHOOKS = Topic("webhooks.refund.v1", (events.RefundWebhook,), _by_order)
INVOICE_WEBHOOKS = Topic("webhooks.invoice.v1", (events.InvoiceWebhook, events.TransferWebhook), _by_invoice)
# Anybody can post these, so their retention is limited. Confirmed ones are published as events on the topics above.
UNCONFIRMED = Topic("webhooks.unconfirmed.v1", (events.UnconfirmedWebhook,), _by_reference, MONTH_MS)
ORDERS = Topic("orders.v1", (events.OrderWebhook,), _by_order)
CUSTOMERS = Topic("customers.v1", (events.CustomerWebhook,), _by_customer)
# After a quarantined webhook was released, an Outcome on the same topic says so.
QUARANTINE = Topic("webhooks.quarantine.v1", (events.QuarantinedWebhook, events.Outcome))
UNVERIFIED = Topic("webhooks.unverified.v1", (events.QuarantinedWebhook, events.Outcome), retention_ms=MONTH_MS)
REJECTED = Topic("webhooks.rejected.v1", (events.RejectedWebhook,), retention_ms=WEEK_MS)
PAYMENTS = Topic(
    "payments.v1",
    (
        events.PaymentCompleted,
        events.PaymentFailed,
        events.PaymentCancelled,
        events.AmountMismatched,
        events.PaymentRefunded,
        events.PaymentOverpaid,
        events.DepositAwaited,
        events.DepositReversed,
        events.BillingScheduled,
        events.RefundRequested,
        events.RefundMismatched,
        events.DisputeOpened,
        events.DisputeClosed,
    ),
)
SHIPMENTS = Topic(
    "shipments.v1",
    (
        events.ShipmentInTransit,
        events.ShipmentOutForDelivery,
        events.ShipmentDelivered,
        events.ShipmentFailed,
    ),
)
REFUNDS = Topic("refunds.v1", (events.RefundCompleted, events.RefundRejected, events.RefundMismatched))
SUBSCRIPTIONS = Topic(
    "subscriptions.v1", (events.SubscriptionActivated, events.SubscriptionCancelled, events.PlanMissing)
)
INVOICES = Topic(
    "invoices.v1",
    (
        events.InvoicePending,
        events.InvoiceCompleted,
        events.InvoiceFailed,
        events.InvoiceCancelled,
        events.InvoiceRejected,
        events.CreditAdded,
        events.DigitalDeliveryRequested,
        events.CryptoRefundRequested,
        events.InvoiceUnderpaid,
    ),
)
OUTCOMES = Topic("webhooks.outcomes.v1", (events.Outcome,))
NOTIFICATIONS = Topic("notifications.v1", (events.NotificationSent,), _by_notification)


def dead(service: str) -> Topic:
    """Return the topic of `service`'s dead records, and of the outcomes of those an operator dismissed."""
    return Topic(f"{service}.dead.v1", (events.DeadRecord, events.Outcome))


DOMAIN_EVENTS = (PAYMENTS, SHIPMENTS, REFUNDS, SUBSCRIPTIONS, INVOICES)
WEBHOOKS = (
    PAYMENT_WEBHOOKS,
    SHIPPING_WEBHOOKS,
    REFUND_WEBHOOKS,
    INVOICE_WEBHOOKS,
    UNCONFIRMED,
    ORDERS,
    CUSTOMERS,
    QUARANTINE,
    UNVERIFIED,
)
PROCESSORS = ("payment", "shipping", "refund", "subscription", "invoice")
"""The services of `processors/`, each in the package of its name."""
SERVICES = (*PROCESSORS, "confirmer", "notifier", "console")
"""The services that have a store; each has a topic of dead letters."""
READ_BY: dict[str, tuple[Topic, ...]] = {
    "payment": (PAYMENT_WEBHOOKS, ORDERS, REFUND_WEBHOOKS),
    "shipping": (SHIPPING_WEBHOOKS,),
    "refund": (REFUND_WEBHOOKS, PAYMENTS, INVOICES),
    "subscription": (PAYMENTS,),
    "invoice": (INVOICE_WEBHOOKS,),
    "confirmer": (UNCONFIRMED, ORDERS),
    "notifier": (ORDERS, CUSTOMERS, *DOMAIN_EVENTS, QUARANTINE, *map(dead, SERVICES)),
    "console": (*WEBHOOKS, REJECTED, OUTCOMES, *DOMAIN_EVENTS, NOTIFICATIONS),
}
"""The topics that each service consumes."""
ALL = (*WEBHOOKS, REJECTED, *DOMAIN_EVENTS, OUTCOMES, NOTIFICATIONS, *map(dead, SERVICES))
RECORDS: tuple[type[Record], ...] = tuple(dict.fromkeys(record for topic in ALL for record in topic.records))
