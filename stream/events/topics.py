"""Every topic as a value: its name, the records it carries, what they are keyed by, how long it keeps them."""

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
    """A setting, read here because topics are constants; `runtime.config.settings` refuses a wrong one at the start."""
    with suppress(OSError):
        if path := os.environ.get(f"{name}_FILE"):
            return os.environ.get(name) or Path(path).read_text().strip()
    return os.environ.get(name, "").strip()


PARTITIONS = int(number) if (number := _setting("TOPIC_PARTITIONS")).isdecimal() else 12
"""Part of the ordering contract: a key's partition never changes. Growing means copying into `.v2`."""
PREFIX = _setting("TOPIC_PREFIX")
FOREVER = -1
WEEK_MS = 7 * 24 * 3600 * 1000
MONTH_MS = 30 * 24 * 3600 * 1000
_BETWEEN = re.compile(r"[\s\u00ad\u2010-\u2015\u2212-]+")
"""Spaces, hyphens and dashes."""


def parcel_number(number: str) -> str:
    """A tracking number as a parcel's key has it: without spaces and hyphens, in upper case.

    People and carriers write one number in groups or not; what was written is kept beside it.
    """
    return _BETWEEN.sub("", unicodedata.normalize("NFKC", number)).upper() or number


def _by_notification(record: Any) -> str:
    return str(record.notification_id)


def _by_event(record: Any) -> str:
    return str(record.event_id)


def _by_order(webhook: Any) -> str:
    """The order, else the provider's name for what the shop calls an order."""
    return webhook.notice.order_id or f"{webhook.envelope.provider}:{webhook.notice.reference}"


def _by_parcel(webhook: Any) -> str:
    """The carrier's one name and its tracking number, since an order may have several parcels; else as for an order."""
    notice = webhook.notice
    if notice.tracking_number:
        return f"{notice.carrier_code or webhook.envelope.provider}:{parcel_number(notice.tracking_number)}"
    return _by_order(webhook)


def _by_invoice(webhook: Any) -> str:
    """The invoice, else the transfer that pays it."""
    return webhook.notice.invoice_id or f"{webhook.envelope.provider}:{webhook.notice.reference}"


def _by_reference(webhook: Any) -> str:
    return f"{webhook.envelope.provider}:{webhook.notice.reference}"


def _by_customer(webhook: Any) -> str:
    return str(webhook.notice.customer_id)


@dataclass(frozen=True, slots=True)
class Topic:
    """`key` is what keeps a record behind those it must not overtake; `retention_ms` is FOREVER for replay's sake.

    Domain events are keyed as the aggregate they tell of: the worker passes that key on.
    """

    base_name: str
    records: tuple[type[Record], ...]
    key: Callable[[Any], str] = _by_event
    retention_ms: int = FOREVER
    name: str = field(init=False)
    """As Kafka and the stores know it, with the prefix."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", f"{PREFIX}{self.base_name}")


PAYMENT_WEBHOOKS = Topic(
    "webhooks.payment.v1", (events.PaymentWebhook, events.BillingWebhook, events.DisputeWebhook), _by_order
)
SHIPPING_WEBHOOKS = Topic("webhooks.shipping.v1", (events.ShippingWebhook,), _by_parcel)
REFUND_WEBHOOKS = Topic("webhooks.refund.v1", (events.RefundWebhook,), _by_order)
INVOICE_WEBHOOKS = Topic("webhooks.invoice.v1", (events.InvoiceWebhook, events.TransferWebhook), _by_invoice)
# Anybody may post these, so they are not kept for ever. Those that are true are events on the topics above.
UNCONFIRMED = Topic("webhooks.unconfirmed.v1", (events.UnconfirmedWebhook,), _by_reference, MONTH_MS)
ORDERS = Topic("orders.v1", (events.OrderWebhook,), _by_order)
CUSTOMERS = Topic("customers.v1", (events.CustomerWebhook,), _by_customer)
# Behind what was released stands the outcome that says so.
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
"""Every service with a store, each with a topic of dead letters."""
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
"""The topics that each service consumes; its handler and the auditor read them here."""
ALL = (*WEBHOOKS, REJECTED, *DOMAIN_EVENTS, OUTCOMES, NOTIFICATIONS, *map(dead, SERVICES))
RECORDS: tuple[type[Record], ...] = tuple(dict.fromkeys(record for topic in ALL for record in topic.records))
