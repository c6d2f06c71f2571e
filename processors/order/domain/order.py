"""The state of one order: its columns follow from the newest state of its payment, its parcels and its refunds.

Of each aggregate the state with the highest revision counts. An order may have several of each:

- payments: the payment processor says which transaction pays the order, and its state is shown;
- parcels: the one with the latest scan is shown, in all five columns (of scans at one time, the greater parcel id);
- refunds: the refund processor's status and the higher of its total and the payment's, as both may report one refund.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

import msgspec

from processors.order.domain.inputs import state_of
from stream.events import (
    DomainEvent,
    InvoiceEvent,
    OrderStatus,
    OrderWebhook,
    OutcomeKind,
    PaymentState,
    PaymentStatus,
    RefundState,
    RefundStatus,
    ShipmentState,
    ShippingStatus,
    SubscriptionActivated,
    SubscriptionEvent,
    ids,
)
from stream.state import registers
from stream.state.registers import UNSET, Register, Registers, Stamp, register

S = TypeVar("S", PaymentState, ShipmentState, RefundState)


class Entry(msgspec.Struct, Generic[S], frozen=True):
    """A state of one aggregate, and the domain event that carried it."""

    state: S
    event_id: str
    received_at: int

    @property
    def stamp(self) -> tuple[tuple[int, ...], str]:
        return self.state.revision, self.event_id


class ShopRegisters(Registers, frozen=True):
    """The registers of the order that the shop and the subscription processor set."""

    customer_id: Register[str] = UNSET
    ordered_amount: Register[int] = UNSET
    ordered_currency: Register[str] = UNSET
    subscription_plan: Register[str] = UNSET
    subscription_status: Register[str] = UNSET


class Inputs(msgspec.Struct, frozen=True, omit_defaults=True):
    """The newest state of each aggregate. `carriers` has, by webhook, the first domain event that it caused."""

    shop: ShopRegisters = ShopRegisters()
    payment: Entry[PaymentState] | None = None
    refunds: Entry[RefundState] | None = None
    parcels: dict[str, Entry[ShipmentState]] = {}
    carriers: dict[str, tuple[tuple[int, ...], str]] = {}


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of an order. `set_by` has the webhook that set each, `set_by_events` the domain event it caused."""

    payment_status: PaymentStatus | None
    payment_method: str | None
    transaction_id: str | None
    paid_amount: int | None
    paid_at: int | None
    shipping_status: ShippingStatus | None
    tracking_number: str | None
    carrier: str | None
    last_location: str | None
    shipping_updated_at: int | None
    refund_status: RefundStatus | None
    refunded_amount: int | None
    currency: str | None
    customer_id: str | None
    ordered_amount: int | None
    ordered_currency: str | None
    subscription_plan: str | None
    subscription_status: str | None
    set_by: dict[str, str]
    set_by_events: dict[str, str]


@dataclass(frozen=True, slots=True)
class Order:
    """One order. `version` is the number of events applied to it."""

    order_id: str
    version: int = 0
    inputs: Inputs = field(default_factory=Inputs)

    @property
    def parcel(self) -> Entry[ShipmentState] | None:
        """The parcel with the latest scan, of those that still belong to this order."""
        own = [entry for entry in self.inputs.parcels.values() if entry.state.order_id == self.order_id]
        return max(own, key=_scanned, default=None)


OrderInput = OrderWebhook | DomainEvent


def order_of(event: OrderInput) -> str | None:
    """Return the order that an event changes; None if it changes none. An invoice is an order of its own."""
    if isinstance(event, OrderWebhook):
        return event.payload.order_id
    if isinstance(event, InvoiceEvent) and state_of(event) is not None:
        return event.order_id or f"invoice:{event.invoice_id}"
    return event.order_id if isinstance(event, SubscriptionEvent) or state_of(event) is not None else None


def apply(order: Order, event: OrderInput) -> tuple[Order, OutcomeKind, tuple[DomainEvent, ...]]:
    """Return the order after an event, the event's outcome, and the new status if a column changed."""
    inputs = _with_event(order.inputs, event)
    after = replace(order, version=order.version + 1, inputs=inputs)
    was, columns = columns_of(order), columns_of(after)
    outcome: OutcomeKind = "late" if _state(inputs) == _state(order.inputs) else "processed"
    return after, outcome, () if columns == was else (_status(after, columns, event),)


def columns_of(order: Order) -> Columns:
    """Return the order's columns."""
    inputs, parcel = order.inputs, order.parcel
    payment = inputs.payment.state if inputs.payment else None
    shipment = parcel.state if parcel else None
    refund_status, refunded_amount, refunded_by = _refunded(inputs)
    currencies = (entry.state.currency for entry in (inputs.payment, inputs.refunds) if entry)
    set_by = {
        **{name: webhook for name, webhook in (payment.set_by if payment else {}).items() if name != "refunded_amount"},
        **(shipment.set_by if shipment else {}),
        **refunded_by,
    }
    return Columns(
        payment_status=payment.payment_status if payment else None,
        payment_method=payment.payment_method if payment else None,
        transaction_id=payment.transaction_id if payment else None,
        paid_amount=payment.paid_amount if payment else None,
        paid_at=payment.paid_at if payment else None,
        shipping_status=shipment.shipping_status if shipment else None,
        tracking_number=shipment.tracking_number if shipment else None,
        carrier=shipment.carrier if shipment else None,
        last_location=shipment.last_location if shipment else None,
        shipping_updated_at=shipment.shipping_updated_at if shipment else None,
        refund_status=refund_status,
        refunded_amount=refunded_amount,
        currency=next(filter(None, currencies), None),
        customer_id=inputs.shop.customer_id.value,
        ordered_amount=inputs.shop.ordered_amount.value,
        ordered_currency=inputs.shop.ordered_currency.value,
        subscription_plan=inputs.shop.subscription_plan.value,
        subscription_status=inputs.shop.subscription_status.value,
        set_by=set_by,
        set_by_events={
            name: inputs.carriers[webhook][1] for name, webhook in set_by.items() if webhook in inputs.carriers
        },
    )


def _refunded(inputs: Inputs) -> tuple[RefundStatus | None, int | None, dict[str, str]]:
    """Return status and amount (minor units) of the order's refunds, and the webhooks that set them."""
    refunds = inputs.refunds.state if inputs.refunds else None
    payment = inputs.payment.state if inputs.payment else None
    amounts = [(state.refunded_amount, state.set_by) for state in (refunds, payment) if state is not None]
    amount, set_by = max(amounts, key=lambda entry: entry[0], default=(None, {}))
    status = refunds.refund_status if refunds else None
    webhooks = {"refunded_amount": set_by.get("refunded_amount")}
    if status is not None and refunds is not None:
        webhooks["refund_status"] = refunds.set_by.get("refund_status")
    elif amount:
        status, webhooks["refund_status"] = "completed", webhooks["refunded_amount"]
    return status, amount, {name: webhook for name, webhook in webhooks.items() if webhook}


def _with_event(inputs: Inputs, event: OrderInput) -> Inputs:
    if isinstance(event, OrderWebhook):
        return msgspec.structs.replace(inputs, shop=registers.merge(inputs.shop, _of_shop(event)))
    if isinstance(event, SubscriptionEvent):
        return msgspec.structs.replace(inputs, shop=registers.merge(inputs.shop, _of_plan(event)))
    state = state_of(event)
    carrier = (() if state is None else state.revision, event.event_id)
    carriers = {**inputs.carriers, event.caused_by: min(carrier, inputs.carriers.get(event.caused_by, carrier))}
    match state:
        case PaymentState():
            newest = _newer(inputs.payment, Entry(state, event.event_id, event.received_at))
            return msgspec.structs.replace(inputs, carriers=carriers, payment=newest)
        case RefundState():
            refunds = _newer(inputs.refunds, Entry(state, event.event_id, event.received_at))
            return msgspec.structs.replace(inputs, carriers=carriers, refunds=refunds)
        case ShipmentState():
            parcel = _newer(inputs.parcels.get(state.shipment_id), Entry(state, event.event_id, event.received_at))
            parcels = {**inputs.parcels, state.shipment_id: parcel}
            return msgspec.structs.replace(inputs, carriers=carriers, parcels=parcels)
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


def _scanned(entry: Entry[ShipmentState]) -> tuple[int, str]:
    return entry.state.shipping_updated_at or entry.received_at, entry.state.shipment_id


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
