"""The current state of an order, for readers outside hookstream."""

from stream.events.domain_events.domain_event import DomainEvent
from stream.events.record import Micros, PaymentStatus, RefundStatus, ShippingStatus


class OrderStatus(DomainEvent, frozen=True, kw_only=True):
    """The current state of an order, on a compacted topic: a record replaces the earlier ones with the same key.

    `version` is the number of events applied to the order. `set_by` has, by column, the event id of the webhook that
    set the column's value, and `set_by_events` the id of the domain event that carried the value.
    """

    version: int
    payment_status: PaymentStatus | None = None
    payment_method: str | None = None
    transaction_id: str | None = None
    paid_amount: int | None = None
    paid_at: Micros | None = None
    shipping_status: ShippingStatus | None = None
    tracking_number: str | None = None
    carrier: str | None = None
    last_location: str | None = None
    shipping_updated_at: Micros | None = None
    refund_status: RefundStatus | None = None
    refunded_amount: int | None = None
    currency: str | None = None
    ordered_amount: int | None = None
    ordered_currency: str | None = None
    subscription_plan: str | None = None
    subscription_status: str | None = None
    set_by: dict[str, str]
    set_by_events: dict[str, str]
