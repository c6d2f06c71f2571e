"""The rows that the stores must hold: each service's pure domain applied to the topics' records. Pure.

The domains' results do not depend on the order of events, so the order here need not be that of the workers.
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
from stream.state import registers, untyped_registers
from stream.state.aliases import Alias

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Tables = dict[str, dict[str, Row]]


@dataclass(frozen=True, slots=True)
class Expected:
    """Rows by table and key, the ids of the events in the history, and the ids of the domain events to publish."""

    tables: Tables
    history: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()


class KeyedDefaults(dict[K, V]):
    """A dictionary that makes the value of a missing key from the key."""

    def __init__(self, make: Callable[[K], V]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: K) -> V:
        self[key] = made = self._make(key)
        return made


def payment(events: Iterable[Record], policy: OrdersPolicy = "optional") -> Expected:
    """Return what the payment store must hold after these records."""
    working_set = payments.PaymentWorkingSet(KeyedDefaults(payments.Payment), KeyedDefaults(lambda _: Alias()), policy)
    history = set()
    for event in events:
        if isinstance(event, PaymentWebhook | DisputeWebhook | RefundWebhook | BillingWebhook | OrderWebhook):
            working_set.apply(event)
        if isinstance(event, PaymentWebhook | DisputeWebhook):
            history.add(event.envelope.event_id)
    known = {order_id: state for order_id, state in working_set.payments.items() if state.version}
    tables: Tables = {
        "payments": {order_id: _payment(state) for order_id, state in known.items()},
        "transactions": {
            f"{order_id} {name}": {
                **_values(transaction, "status", "amount", "currency"),
                "refunded_amount": state.refunded_of(name),
            }
            for order_id, state in known.items()
            for name, transaction in state.transactions.items()
        },
        "orders": {
            order_id: _values(state.order, "amount", "currency")
            for order_id, state in working_set.payments.items()
            if state.order
        },
    }
    keys = [key for state in working_set.payments.values() for key in payments.event_keys(state, policy)]
    return Expected(
        tables, frozenset(history), frozenset(ids.domain_event_id(kind.__name__, *key) for kind, key in keys)
    )


def shipment(events: Iterable[Record]) -> Expected:
    """Return what the shipping store must hold after these records."""
    scans = [event for event in events if isinstance(event, ShippingWebhook)]
    parcels: KeyedDefaults[str, shipping.Shipment] = KeyedDefaults(shipping.Shipment)
    for scan in scans:
        name = topics.SHIPPING_WEBHOOKS.key(scan)
        parcels[name], _, _ = shipping.apply(parcels[name], scan)
    rows: dict[str, Row] = {
        name: {
            "order_id": parcel.order_id,
            "status": parcel.status,
            "version": parcel.version,
            "told": json.loads(registers.dump(parcel.registers)),
        }
        for name, parcel in parcels.items()
    }
    keys = [parcel.event_key for parcel in parcels.values() if parcel.event_key]
    published = {ids.domain_event_id(kind.__name__, *key) for kind, key in keys}
    return Expected({"shipments": rows}, frozenset(scan.envelope.event_id for scan in scans), frozenset(published))


def refund(events: Iterable[Record]) -> Expected:
    """Return what the refund store must hold after these records."""
    working_set = refunds.RefundWorkingSet({}, KeyedDefaults(lambda _: Alias()))
    history = set()
    for event in events:
        if not isinstance(event, RefundWebhook | DomainEvent):
            continue
        if order_id := working_set.touches(event):
            working_set.refunds.setdefault(order_id, refunds.Refunds(order_id))
        working_set.apply(event)
        if isinstance(event, RefundWebhook):
            history.add(event.envelope.event_id)
    orders = {order_id: order for order_id, order in working_set.refunds.items() if order.version}
    tables: Tables = {
        "orders": {
            order_id: {
                "refund_status": order.status,
                "refunded_amount": order.refunded_amount,
                "version": order.version,
            }
            for order_id, order in orders.items()
        },
        "refunds": {
            f"{order_id} {name}": {
                "status": refund_.status,
                "amount": refund_.registers.amount.value,
                "currency": refund_.registers.currency.value,
                "told": json.loads(refund_.dump()),
                "mismatch": order.mismatches.get(name),
            }
            for order_id, order in orders.items()
            for name, refund_ in order.counted.items()
        },
    }
    keys = [key for order in working_set.refunds.values() for key in refunds.event_keys(order)]
    return Expected(
        tables, frozenset(history), frozenset(ids.domain_event_id(kind.__name__, *key) for kind, key in keys)
    )


def subscription(events: Iterable[Record]) -> Expected:
    """Return what the subscription store must hold after these records."""
    relevant = [(event, ordered) for event in events if (ordered := _plan_order(event))]
    users: KeyedDefaults[str, subscriptions.Subscription] = KeyedDefaults(subscriptions.Subscription)
    history = set()
    for event, ordered in relevant:
        if isinstance(event, subscriptions.SubscriptionInput):
            users[ordered.user_id], _, _ = subscriptions.apply(users[ordered.user_id], event)
            history.add(event.event_id)
    tables: Tables = {
        "subscriptions": {
            name: {
                "plan": user.plan,
                "status": user.status,
                "last_order_id": user.last_order_id,
                "version": user.version,
            }
            for name, user in users.items()
        },
        "orders": {
            order_id: {"user_id": name, "told": json.loads(order.dump())}
            for name, user in users.items()
            for order_id, order in user.orders.items()
        },
    }
    keys = [key for user in users.values() for key in subscriptions.event_keys(user)]
    return Expected(
        tables, frozenset(history), frozenset(ids.domain_event_id(kind.__name__, *key) for kind, key in keys)
    )


def invoice(events: Iterable[Record]) -> Expected:
    """Return what the invoice store must hold after these records."""
    webhooks = [event for event in events if isinstance(event, InvoiceWebhook | TransferWebhook)]
    known: KeyedDefaults[str, invoices.Invoice] = KeyedDefaults(invoices.Invoice)
    transfers: KeyedDefaults[str, invoices.Transfer] = KeyedDefaults(invoices.Transfer)
    for event in webhooks:
        if event.notice.transaction_id:
            transfers[event.notice.transaction_id]  # makes the missing transfer
        advance(transfers, known, event)
    tables: Tables = {
        "invoices": {
            name: {
                "state": invoice_.state,
                "cash_amount": invoice_.registers.cash_amount.value,
                "cash_currency": invoice_.registers.cash_currency.value,
                "version": invoice_.version,
                "told": json.loads(invoice_.dump()),
            }
            for name, invoice_ in known.items()
        },
        "transfers": {
            name: {
                "invoice_id": transfer.invoice_id,
                "version": transfer.version,
                "told": json.loads(registers.dump(transfer.registers)),
            }
            for name, transfer in transfers.items()
        },
        "credits": {
            name: {
                "entry_id": ids.domain_event_id("credit", name),
                "customer_id": invoice_.registers.customer_id.value,
                "amount": invoice_.registers.cash_amount.value,
                "currency": invoice_.registers.cash_currency.value or "KRW",
            }
            for name, invoice_ in known.items()
            if CreditAdded in invoices.event_types(invoice_)
        },
    }
    published = {
        ids.domain_event_id(kind.__name__, name)
        for name, invoice_ in known.items()
        for kind in invoices.event_types(invoice_)
    }
    return Expected(tables, frozenset(event.envelope.event_id for event in webhooks), frozenset(published))


MODELS: Mapping[str, Callable[[Sequence[Record]], Expected]] = {
    "payment": payment,
    "shipping": shipment,
    "refund": refund,
    "subscription": subscription,
    "invoice": invoice,
}
"""The model of each processor, by service."""


def _payment(payment_state: payments.Payment) -> Row:
    return {
        "status": payment_state.status,
        "amount": payment_state.known("amount"),
        "currency": payment_state.known("currency"),
        "refunded_amount": payment_state.refunded_amount,
        "failure_reason": payment_state.failure_reason,
        "mismatched": payment_state.mismatched,
        "version": payment_state.version,
        "told": _json(payment_state.told),
        "cancels": _json(payment_state.cancels),
        "entries": _json(payment_state.entries),
    }


def _plan_order(event: Record) -> subscriptions.PlanOrder | None:
    return subscriptions.parse_order_id(event.order_id) if isinstance(event, subscriptions.SubscriptionInput) else None


def _values(state: untyped_registers.Registers, *names: str) -> Row:
    return {**{name: untyped_registers.value(state, name) for name in names}, "told": _json(state)}


def _json(state: untyped_registers.Registers) -> Any:
    """Return registers as the store's JSON column returns them."""
    return json.loads(untyped_registers.dump(state))
