"""The base class of domain events, and the fields that all of them have."""

from typing import NotRequired, TypedDict

from stream.events.record import EventId, Micros, Mode, OrderId, Record


class DomainEvent(Record, frozen=True, kw_only=True):
    """A change of state of an order or a customer, published once.

    `caused_by` is the id of the event that caused the change. `occurred_at` is the time by the provider's clock,
    `received_at` by the gateway's. `contact` is the e-mail address to notify when neither the order nor the customer
    has one.
    """

    event_id: EventId
    caused_by: EventId
    mode: Mode
    occurred_at: Micros | None
    received_at: Micros
    order_id: OrderId | None
    customer_id: str | None = None
    contact: str | None = None


class EventHeader(TypedDict):
    """The fields of every domain event but `contact`, for `**header` in its constructor."""

    event_id: EventId
    caused_by: EventId
    mode: Mode
    occurred_at: Micros | None
    received_at: Micros
    order_id: OrderId | None
    customer_id: NotRequired[str | None]
