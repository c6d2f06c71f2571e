"""The rows that the stores must hold: each service's pure domain applied to the topics' records. Pure.

The domains' results do not depend on the order of events, so the order here need not be that of the workers.
"""

import json
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import msgspec

from auditor.evidence import Row
from processors.invoice import domain as invoices
from processors.order import domain as orders
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
    OrderWebhook,
    PaymentWebhook,
    Record,
    RefundWebhook,
    ShippingWebhook,
    ids,
    topics,
)
from stream.state import registers
from stream.state.aliases import Alias
from stream.state.registers import Register, Registers

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


def payment(events: Iterable[Record], policy: OrdersPolicy) -> Expected:
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
                "status": transaction.status.value,
                "amount": transaction.amount.value,
                "currency": transaction.currency.value,
                "registers": _json(transaction),
                "refunded_amount": state.refunded_of(name),
            }
            for order_id, state in known.items()
            for name, transaction in state.transactions.items()
        },
        "orders": {
            order_id: {
                "amount": state.order.amount.value,
                "currency": state.order.currency.value,
                "registers": _json(state.order),
            }
            for order_id, state in working_set.payments.items()
            if state.order != payments.OrderRegisters()
        },
    }
    keys = [key for state in working_set.payments.values() for key in payments.event_keys(state, policy)]
    return Expected(tables, frozenset(history), _event_ids(keys))


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
            "registers": _json(parcel.registers),
        }
        for name, parcel in parcels.items()
    }
    keys = [parcel.event_key for parcel in parcels.values() if parcel.event_key]
    return Expected({"shipments": rows}, frozenset(scan.envelope.event_id for scan in scans), _event_ids(keys))


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
                "registers": json.loads(refund_.dump()),
                "mismatch": order.mismatches.get(name),
            }
            for order_id, order in orders.items()
            for name, refund_ in order.counted.items()
        },
    }
    keys = [key for order in working_set.refunds.values() for key in refunds.event_keys(order)]
    return Expected(tables, frozenset(history), _event_ids(keys))


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
            order_id: {"user_id": name, "registers": json.loads(order.dump())}
            for name, user in users.items()
            for order_id, order in user.orders.items()
        },
    }
    keys = [key for user in users.values() for key in subscriptions.event_keys(user)]
    return Expected(tables, frozenset(history), _event_ids(keys))


def invoice(events: Iterable[Record]) -> Expected:
    """Return what the invoice store must hold after these records."""
    webhooks = [event for event in events if isinstance(event, invoices.InvoiceInput)]
    working_set = invoices.InvoiceWorkingSet(KeyedDefaults(invoices.Invoice), KeyedDefaults(invoices.Transfer))
    for webhook in webhooks:
        working_set.apply(webhook)
    known, types = working_set.invoices, invoices.event_types
    tables: Tables = {
        "invoices": {name: _invoice(state) for name, state in known.items()},
        "transfers": {name: _transfer(state) for name, state in working_set.transfers.items()},
        "credits": {name: _credit(state) for name, state in known.items() if CreditAdded in types(state)},
    }
    published = _event_ids((kind, (name,)) for name, state in known.items() for kind in types(state))
    return Expected(tables, frozenset(webhook.envelope.event_id for webhook in webhooks), published)


def order(events: Iterable[Record]) -> Expected:
    """Return what the order store must hold after these records."""
    known: KeyedDefaults[str, orders.Order] = KeyedDefaults(orders.Order)
    for event in events:
        if isinstance(event, OrderWebhook | DomainEvent) and (order_id := orders.order_of(event)):
            known[order_id], _, _ = orders.apply(known[order_id], event)
    rows = {order_id: _columns(orders.columns_of(state), state.version) for order_id, state in known.items()}
    return Expected({"orders": rows})


def models(policy: OrdersPolicy) -> Mapping[str, Callable[[Sequence[Record]], Expected]]:
    """Return the model of each processor, by service; `policy` is the payment processor's setting ORDERS."""
    return {
        "payment": partial(payment, policy=policy),
        "shipping": shipment,
        "refund": refund,
        "subscription": subscription,
        "invoice": invoice,
        "order": order,
    }


def _invoice(state: invoices.Invoice) -> Row:
    return {
        "state": state.state,
        "cash_amount": state.registers.cash_amount.value,
        "cash_currency": state.registers.cash_currency.value,
        "version": state.version,
        "registers": json.loads(state.dump()),
    }


def _transfer(state: invoices.Transfer) -> Row:
    return {
        "invoice_id": state.invoice_id,
        "version": state.version,
        "registers": json.loads(registers.dump(state.registers)),
    }


def _credit(state: invoices.Invoice) -> Row:
    return {
        "entry_id": ids.domain_event_id("credit", state.invoice_id),
        "customer_id": state.registers.customer_id.value,
        "amount": state.registers.cash_amount.value,
        "currency": state.registers.cash_currency.value or "KRW",
    }


def _event_ids(keys: Iterable[tuple[type[DomainEvent], tuple[str, ...]]]) -> frozenset[str]:
    return frozenset(ids.domain_event_id(kind.__name__, *key) for kind, key in keys)


def _payment(payment_state: payments.Payment) -> Row:
    return {
        "status": payment_state.status,
        "amount": payment_state.stated.amount.value,
        "currency": payment_state.stated.currency.value,
        "refunded_amount": payment_state.refunded_amount,
        "failure_reason": payment_state.failure_reason,
        "mismatched": payment_state.mismatched,
        "version": payment_state.version,
        "registers": _json(payment_state.registers),
        "cancels": _json(payment_state.cancels),
        "entries": _json(payment_state.entries),
    }


def _plan_order(event: Record) -> subscriptions.PlanOrder | None:
    return subscriptions.parse_order_id(event.order_id) if isinstance(event, subscriptions.SubscriptionInput) else None


def _json(state: Registers | Mapping[str, Register[object]]) -> object:
    """Return registers as the store's JSON column returns them."""
    return json.loads(registers.dump(state))


def _columns(columns: orders.Columns, version: int) -> Row:
    """Return an order's row as its store returns it, with times in microseconds."""
    events = columns.set_by_events
    set_by = {name: {"webhook": webhook, "event": events.get(name)} for name, webhook in columns.set_by.items()}
    row = msgspec.structs.asdict(columns) | {"set_by": set_by, "version": version}
    return {name: value for name, value in row.items() if name != "set_by_events"}
