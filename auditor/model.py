"""What the stores must hold after a set of events: each service's pure domain, folded over the topics' records. Pure.

The domains end alike in whatever order events come, so the order here need not be that of the workers.
"""

import json
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from auditor.evidence import Row
from processors.invoice import domain as invoices
from processors.invoice.handler import advance
from processors.payment import domain as payments
from processors.payment.domain import OrdersPolicy
from processors.refund import domain as refunds
from processors.shipping import domain as shipping
from processors.subscription import domain as subscriptions
from stream.events import (
    BillingWebhook,
    CreditAdded,
    DisputeWebhook,
    DomainEvent,
    InvoiceWebhook,
    OrderWebhook,
    PaymentWebhook,
    Record,
    RefundWebhook,
    ShippingWebhook,
    TransferWebhook,
    ids,
    topics,
)
from stream.state import registers
from stream.state.aliases import Alias
from stream.state.registers import Registers

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Tables = dict[str, dict[str, Row]]


@dataclass(frozen=True, slots=True)
class Expected:
    """Rows by table and key, the ids of events in the history, and of facts that must have been announced."""

    tables: Tables
    history: frozenset[str] = frozenset()
    facts: frozenset[str] = frozenset()


class Made(dict[K, V]):
    """Makes what is asked for the first time from its key."""

    def __init__(self, make: Callable[[K], V]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: K) -> V:
        self[key] = made = self._make(key)
        return made


def payment(events: Iterable[Record], policy: OrdersPolicy = "optional") -> Expected:
    """The payments after these webhooks and orders."""
    working_set = payments.PaymentWorkingSet(Made(payments.Payment), Made(lambda _: Alias()), policy)
    history = set()
    for event in events:
        if isinstance(event, PaymentWebhook | DisputeWebhook | RefundWebhook | BillingWebhook | OrderWebhook):
            working_set.apply(event)
        if isinstance(event, PaymentWebhook | DisputeWebhook):
            history.add(event.envelope.event_id)
    told = {order_id: one for order_id, one in working_set.payments.items() if one.version}
    tables: Tables = {
        "payments": {order_id: _payment(one) for order_id, one in told.items()},
        "transactions": {
            f"{order_id} {name}": {
                **_values(entry, "status", "amount", "currency"),
                "refunded_amount": one.refunded_of(name),
            }
            for order_id, one in told.items()
            for name, entry in one.transactions.items()
        },
        "orders": {
            order_id: _values(one.order, "amount", "currency")
            for order_id, one in working_set.payments.items()
            if one.order
        },
    }
    truths = [truth for one in working_set.payments.values() for truth in payments.event_keys(one, policy)]
    return Expected(
        tables, frozenset(history), frozenset(ids.domain_event_id(kind.__name__, *key) for kind, key in truths)
    )


def shipment(events: Iterable[Record]) -> Expected:
    """The parcels after these scans."""
    scans = [event for event in events if isinstance(event, ShippingWebhook)]
    parcels: Made[str, shipping.Shipment] = Made(shipping.Shipment)
    for scan in scans:
        name = topics.SHIPPING_WEBHOOKS.key(scan)
        parcels[name], _, _ = shipping.apply(parcels[name], scan)
    rows: dict[str, Row] = {
        name: {"order_id": one.order_id, "status": one.status, "version": one.version, "told": _json(one.told)}
        for name, one in parcels.items()
    }
    truths = [one.event_key for one in parcels.values() if one.event_key]
    facts = {ids.domain_event_id(kind.__name__, *key) for kind, key in truths}
    return Expected({"shipments": rows}, frozenset(scan.envelope.event_id for scan in scans), frozenset(facts))


def refund(events: Iterable[Record]) -> Expected:
    """The refunds after these webhooks and facts."""
    working_set = refunds.RefundWorkingSet({}, Made(lambda _: Alias()))
    history = set()
    for event in events:
        if not isinstance(event, RefundWebhook | DomainEvent):
            continue
        if order_id := working_set.touches(event):
            working_set.refunds.setdefault(order_id, refunds.Refunds(order_id))
        working_set.apply(event)
        if isinstance(event, RefundWebhook):
            history.add(event.envelope.event_id)
    orders = {order_id: one for order_id, one in working_set.refunds.items() if one.version}
    tables: Tables = {
        "orders": {
            order_id: {"refund_status": one.status, "refunded_amount": one.refunded_amount, "version": one.version}
            for order_id, one in orders.items()
        },
        "refunds": {
            f"{order_id} {name}": {
                **_values(told, "status", "amount", "currency"),
                "mismatch": one.mismatches.get(name),
            }
            for order_id, one in orders.items()
            for name, told in one.counted.items()
        },
    }
    truths = [truth for one in working_set.refunds.values() for truth in refunds.event_keys(one)]
    return Expected(
        tables, frozenset(history), frozenset(ids.domain_event_id(kind.__name__, *key) for kind, key in truths)
    )


def subscription(events: Iterable[Record]) -> Expected:
    """The subscriptions after these facts of payments."""
    heeded = [(event, ordered) for event in events if (ordered := _ordered(event))]
    users: Made[str, subscriptions.Subscription] = Made(subscriptions.Subscription)
    history = set()
    for fact, ordered in heeded:
        if isinstance(fact, subscriptions.SubscriptionInput):
            users[ordered.user_id], _, _ = subscriptions.apply(users[ordered.user_id], fact)
            history.add(fact.event_id)
    tables: Tables = {
        "subscriptions": {
            name: {
                "plan": one.plan,
                "status": one.status,
                "last_order_id": one.last_order_id,
                "version": one.version,
            }
            for name, one in users.items()
        },
        "orders": {
            order_id: {"user_id": name, "told": _json(told)}
            for name, one in users.items()
            for order_id, told in one.orders.items()
        },
    }
    truths = [truth for one in users.values() for truth in subscriptions.event_keys(one)]
    return Expected(
        tables, frozenset(history), frozenset(ids.domain_event_id(kind.__name__, *key) for kind, key in truths)
    )


def invoice(events: Iterable[Record]) -> Expected:
    """The invoices, transfers and credits after these webhooks."""
    heard = [event for event in events if isinstance(event, InvoiceWebhook | TransferWebhook)]
    known: Made[str, invoices.Invoice] = Made(invoices.Invoice)
    transfers: Made[str, invoices.Transfer] = Made(invoices.Transfer)
    for event in heard:
        if event.notice.transaction_id:
            transfers[event.notice.transaction_id]  # made by being asked for
        advance(transfers, known, event)
    tables: Tables = {
        "invoices": {
            name: {
                "state": one.state,
                "cash_amount": one.known("cash_amount"),
                "cash_currency": one.known("cash_currency"),
                "version": one.version,
                "told": _json(one.told),
            }
            for name, one in known.items()
        },
        "transfers": {
            name: {"invoice_id": one.invoice_id, "version": one.version, "told": _json(one.told)}
            for name, one in transfers.items()
        },
        "credits": {
            name: {
                "entry_id": ids.domain_event_id("credit", name),
                "customer_id": one.known("customer_id"),
                "amount": one.known("cash_amount"),
                "currency": one.known("cash_currency") or "KRW",
            }
            for name, one in known.items()
            if CreditAdded in invoices.event_types(one)
        },
    }
    facts = {
        ids.domain_event_id(kind.__name__, name) for name, one in known.items() for kind in invoices.event_types(one)
    }
    return Expected(tables, frozenset(event.envelope.event_id for event in heard), frozenset(facts))


MODELS: Mapping[str, Callable[[Sequence[Record]], Expected]] = {
    "payment": payment,
    "shipping": shipment,
    "refund": refund,
    "subscription": subscription,
    "invoice": invoice,
}
"""Of each service that keeps more than messages, what it must hold."""


def _payment(one: payments.Payment) -> Row:
    told = one.told
    return {
        "status": one.status,
        "amount": one.known("amount"),
        "currency": one.known("currency"),
        "refunded_amount": one.refunded_amount,
        "failure_reason": one.failure_reason,
        "mismatched": one.mismatched,
        "version": one.version,
        "told": _json(told),
        "cancels": _json(one.cancels),
        "entries": _json(one.entries),
    }


def _ordered(event: Record) -> subscriptions.PlanOrder | None:
    return subscriptions.parse_order_id(event.order_id) if isinstance(event, subscriptions.SubscriptionInput) else None


def _values(told: Registers, *names: str) -> Row:
    return {**{name: registers.value(told, name) for name in names}, "told": _json(told)}


def _json(told: Registers) -> Any:
    """As a store gives it back."""
    return json.loads(registers.dump(told))
