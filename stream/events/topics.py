"""Defines every topic: name, records, record key and retention; and every service with the topics it uses."""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stream import events
from stream.events import Record
from stream.events.record_keys import (
    by_action,
    by_customer,
    by_event,
    by_invoice,
    by_notification,
    by_order,
    by_parcel,
    by_provider,
    by_provider_state,
    by_reference,
)


def _setting(name: str) -> str:
    """Return a setting from the environment or the file that `{name}_FILE` names; "" without either.

    The setting is read here because topics are constants; `runtime.config.settings` rejects a wrong value at the start.
    """
    with suppress(OSError):
        if path := os.environ.get(f"{name}_FILE"):
            return os.environ.get(name) or Path(path).read_text().strip()
    return os.environ.get(name, "").strip()


PARTITIONS = int(number) if (number := _setting("TOPIC_PARTITIONS")).isdecimal() else 12
"""The number of partitions of each topic (TOPIC_PARTITIONS). Events are ordered per key only because a key's partition
never changes, so more partitions require copying the records into a `.v2` topic."""
PREFIX = _setting("TOPIC_PREFIX")
FOREVER = -1
WEEK_MS = 7 * 24 * 3600 * 1000
MONTH_MS = 30 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic and the records it carries.

    `base_name` is the name without PREFIX. `key` computes a record's key: records with the same key stay in order. A
    worker does not use `key` for its domain events: their key is that of the aggregate. `retention_ms` is FOREVER by
    default, so that a replay can read all records. A topic with `holds_state` is compacted: Kafka keeps only the last
    record of each key, so no domain event is replayed from it.
    """

    base_name: str
    records: tuple[type[Record], ...]
    key: Callable[[Any], str] = by_event
    retention_ms: int = FOREVER
    holds_state: bool = False
    name: str = field(init=False)
    """The name in Kafka and in the stores, with the prefix."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", f"{PREFIX}{self.base_name}")


PAYMENT_WEBHOOKS = Topic(
    "webhooks.payment.v1", (events.PaymentWebhook, events.BillingWebhook, events.DisputeWebhook), by_order
)
SHIPPING_WEBHOOKS = Topic("webhooks.shipping.v1", (events.ShippingWebhook,), by_parcel)
REFUND_WEBHOOKS = Topic("webhooks.refund.v1", (events.RefundWebhook,), by_order)
INVOICE_WEBHOOKS = Topic("webhooks.invoice.v1", (events.InvoiceWebhook, events.TransferWebhook), by_invoice)
# Anybody can post these, so their retention is limited. Confirmed ones are published as events on the topics above.
UNCONFIRMED = Topic("webhooks.unconfirmed.v1", (events.UnconfirmedWebhook,), by_reference, MONTH_MS)
ORDERS = Topic("orders.v1", (events.OrderWebhook,), by_order)
CUSTOMERS = Topic("customers.v1", (events.CustomerWebhook,), by_customer)
# After a quarantined webhook was released, an Outcome on the same topic says so.
QUARANTINE = Topic("webhooks.quarantine.v1", (events.QuarantinedWebhook, events.Outcome))
# Webhooks of providers whose secret is not set: an operator may set it, and release them.
UNVERIFIED = Topic("webhooks.unverified.v1", (events.QuarantinedWebhook, events.Outcome), retention_ms=MONTH_MS)
REFUSALS = Topic("webhooks.rejected.v1", (events.RejectedWebhook,), by_provider, WEEK_MS)
# The gateways have no store: what they must remember and share is here, one record for each change.
PROVIDER_STATES = Topic("provider-states.v1", (events.ProviderState, events.SecretSeen), by_provider_state)
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
        events.PaymentUpdated,
    ),
)
SHIPMENTS = Topic(
    "shipments.v1",
    (
        events.ShipmentInTransit,
        events.ShipmentOutForDelivery,
        events.ShipmentDelivered,
        events.ShipmentFailed,
        events.ShipmentUpdated,
    ),
)
REFUNDS = Topic(
    "refunds.v1", (events.RefundCompleted, events.RefundRejected, events.RefundMismatched, events.RefundUpdated)
)
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
ORDER_STATUS = Topic("order-status.v1", (events.OrderStatus,), holds_state=True)
"""The current state of each order, with the order id as key, for consumers that want one topic to join."""
OUTCOMES = Topic("webhooks.outcomes.v1", (events.Outcome,))
NOTIFICATIONS = Topic("notifications.v1", (events.NotificationSent,), by_notification)
CONSOLE_ACTIONS = Topic("console-actions.v1", (events.ConsoleAction,), by_action)


def dead(service: str) -> Topic:
    """Return the topic of a service's dead letters, and of the outcomes of dead events that an operator dismissed."""
    return Topic(f"{service}.dead.v1", (events.DeadRecord, events.Outcome))


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


@dataclass(frozen=True, slots=True)
class ServiceTopics:
    """A service: its name, its Python package, and the topics it reads and publishes to.

    A service with a store also publishes its dead letters and, unless `publishes_outcomes` is False, the outcome of
    each event; the topics of both are not in `publishes`.
    """

    name: str
    package: str
    reads: tuple[Topic, ...] = ()
    publishes: tuple[Topic, ...] = ()
    publishes_outcomes: bool = True


def processor(name: str, reads: tuple[Topic, ...], publishes: tuple[Topic, ...] = ()) -> ServiceTopics:
    """Return the description of the processor in the package `processors.{name}`; `publishes` are its own topics."""
    return ServiceTopics(name, f"processors.{name}", reads, publishes)


PROCESSORS = (
    # Only a refund webhook may report that a refund failed, so the payment processor reads refunds too.
    processor("payment", reads=(PAYMENT_WEBHOOKS, ORDERS, REFUND_WEBHOOKS), publishes=(PAYMENTS,)),
    processor("shipping", reads=(SHIPPING_WEBHOOKS,), publishes=(SHIPMENTS,)),
    processor("refund", reads=(REFUND_WEBHOOKS, PAYMENTS, INVOICES), publishes=(REFUNDS,)),
    processor("subscription", reads=(PAYMENTS,), publishes=(SUBSCRIPTIONS,)),
    processor("invoice", reads=(INVOICE_WEBHOOKS,), publishes=(INVOICES,)),
    processor(
        "order",
        reads=(ORDERS, PAYMENTS, SHIPMENTS, REFUNDS, SUBSCRIPTIONS, INVOICES),
        publishes=(ORDER_STATUS,),
    ),
)
"""All processors. The command line, the local stack, the auditor and the Kafka permissions read this list."""
DOMAIN_EVENTS = tuple(topic for processor_ in PROCESSORS for topic in processor_.publishes if not topic.holds_state)
"""The topics of domain events that a consumer or a replay can read from their beginning: those that hold no state."""
_STORES = (*(processor_.name for processor_ in PROCESSORS), "confirmer", "notifier", "console")
SERVICES = (
    *PROCESSORS,
    ServiceTopics(
        "confirmer",
        "confirmer",
        reads=(UNCONFIRMED, ORDERS),
        publishes=(
            PAYMENT_WEBHOOKS,
            SHIPPING_WEBHOOKS,
            REFUND_WEBHOOKS,
            INVOICE_WEBHOOKS,
            CUSTOMERS,
            OUTCOMES,
            REFUSALS,
        ),
    ),
    ServiceTopics(
        "notifier",
        "notifier",
        reads=(ORDERS, CUSTOMERS, *DOMAIN_EVENTS, QUARANTINE, *map(dead, _STORES)),
        publishes=(NOTIFICATIONS,),
    ),
    ServiceTopics(
        "console",
        "console",
        reads=(*WEBHOOKS, REFUSALS, OUTCOMES, *DOMAIN_EVENTS, ORDER_STATUS, NOTIFICATIONS, CONSOLE_ACTIONS),
        publishes=(CONSOLE_ACTIONS,),
        publishes_outcomes=False,  # it reads outcomes, so an outcome of each outcome would follow without end
    ),
)
"""The processors and the other services with a store: all but the gateway. Each has a topic of dead letters."""
GATEWAY = ServiceTopics(
    "gateway",
    "gateway",
    reads=(QUARANTINE, UNVERIFIED, PROVIDER_STATES),
    publishes=(*WEBHOOKS, REFUSALS, OUTCOMES, PROVIDER_STATES),
)
_AUDIT = (REFUSALS, OUTCOMES, NOTIFICATIONS, CONSOLE_ACTIONS, PROVIDER_STATES)
ALL = (*WEBHOOKS, *_AUDIT, *DOMAIN_EVENTS, ORDER_STATUS, *map(dead, _STORES))
"""Every topic of hookstream."""
RECORDS: tuple[type[Record], ...] = tuple(dict.fromkeys(record for topic in ALL for record in topic.records))
"""Every record class that a topic carries."""


def service(name: str) -> ServiceTopics:
    """Return the gateway or the service with a store of this name. Raises KeyError for any other name."""
    return {known.name: known for known in (GATEWAY, *SERVICES)}[name]
