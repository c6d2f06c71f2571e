"""Apply an event to an order. The columns do not depend on the order in which events arrive, nor on repetitions."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec

from processors.order.domain.columns import Columns, columns_of
from processors.order.domain.event_state import state_of
from processors.order.domain.order import Entry, Inputs, Order, ShopRegisters
from stream.events import (
    DomainEvent,
    InvoiceEvent,
    OrderId,
    OrderStatus,
    OrderWebhook,
    OutcomeKind,
    PaymentState,
    RefundState,
    ShipmentState,
    SubscriptionActivated,
    SubscriptionEvent,
    ids,
)
from stream.state import registers
from stream.state.registers import Stamp, register

S = TypeVar("S", PaymentState, ShipmentState, RefundState)

OrderInput = OrderWebhook | DomainEvent


def order_of(event: OrderInput) -> OrderId | None:
    """Return the id of the order that an event changes; None if it changes none.

    A crypto invoice that names no order is an order of its own, `invoice:{invoice id}`.
    """
    if isinstance(event, OrderWebhook):
        return event.payload.order_id
    if isinstance(event, InvoiceEvent) and state_of(event) is not None:
        return event.order_id or OrderId(f"invoice:{event.invoice_id}")
    return event.order_id if isinstance(event, SubscriptionEvent) or state_of(event) is not None else None


def apply(order: Order, event: OrderInput) -> tuple[Order, OutcomeKind, tuple[DomainEvent, ...]]:
    """Return the order after an event, the event's outcome, and an OrderStatus if a column changed.

    The outcome is `late` if the event changed nothing: a newer event had stated the same fields.
    """
    inputs = _with_event(order.inputs, event)
    after = msgspec.structs.replace(order, version=order.version + 1, inputs=inputs)
    was, columns = columns_of(order), columns_of(after)
    outcome: OutcomeKind = "late" if _state(inputs) == _state(order.inputs) else "processed"
    return after, outcome, () if columns == was else (_status(after, columns, event),)


def _with_event(inputs: Inputs, event: OrderInput) -> Inputs:
    if isinstance(event, OrderWebhook):
        return msgspec.structs.replace(inputs, shop=registers.merge(inputs.shop, _of_shop(event)))
    if isinstance(event, SubscriptionEvent):
        return msgspec.structs.replace(inputs, shop=registers.merge(inputs.shop, _of_plan(event)))
    state = state_of(event)
    caused = (() if state is None else state.revision, event.event_id)
    known = inputs.first_events
    first_events = {**known, event.caused_by: min(caused, known.get(event.caused_by, caused))}
    match state:
        case PaymentState():
            newest = _newer(inputs.payment, Entry(state, event.event_id, event.received_at))
            return msgspec.structs.replace(inputs, first_events=first_events, payment=newest)
        case RefundState():
            refunds = _newer(inputs.refunds, Entry(state, event.event_id, event.received_at))
            return msgspec.structs.replace(inputs, first_events=first_events, refunds=refunds)
        case ShipmentState():
            parcel = _newer(inputs.parcels.get(state.shipment_id), Entry(state, event.event_id, event.received_at))
            parcels = {**inputs.parcels, state.shipment_id: parcel}
            return msgspec.structs.replace(inputs, first_events=first_events, parcels=parcels)
        case None:
            return inputs


def _newer(known: Entry[S] | None, stated: Entry[S]) -> Entry[S]:
    return stated if known is None or stated.stamp > known.stamp else known


def _of_shop(webhook: OrderWebhook) -> ShopRegisters:
    payload, envelope = webhook.payload, webhook.envelope
    stamp = Stamp(0, envelope.occurred_at or envelope.received_at, 0, envelope.event_id)
    return ShopRegisters(
        customer_id=register(stamp, payload.customer_id),
        ordered_amount=register(stamp, payload.amount),
        ordered_currency=register(stamp, payload.currency),
    )


def _of_plan(event: SubscriptionEvent) -> ShopRegisters:
    is_active = isinstance(event, SubscriptionActivated)
    stamp = Stamp(0, event.occurred_at or event.received_at, 0 if is_active else 1, event.event_id)
    return ShopRegisters(
        subscription_plan=register(stamp, event.plan),
        subscription_status=register(stamp, "active" if is_active else "cancelled"),
    )


def _state(inputs: Inputs) -> Iterable[object]:
    """Return the inputs that decide the columns, to compare them."""
    return (inputs.shop, inputs.payment, inputs.refunds, inputs.parcels)


def _status(order: Order, columns: Columns, cause: OrderInput) -> OrderStatus:
    header = cause.envelope if isinstance(cause, OrderWebhook) else cause
    fields: Mapping[str, object] = msgspec.structs.asdict(columns)
    return OrderStatus(
        event_id=ids.domain_event_id("OrderStatus", order.order_id, header.event_id),
        caused_by=cause.envelope.event_id if isinstance(cause, OrderWebhook) else cause.caused_by,
        mode=header.mode,
        occurred_at=header.occurred_at,
        received_at=header.received_at,
        order_id=order.order_id,
        version=order.version,
        **fields,  # type: ignore[arg-type]
    )
