"""The state of an order's payment, parcel or refunds after a domain event, in the columns of the order view.

`revision` grows with each change of the payment, parcel or refunds, so the state with the highest revision is the
current one, in whatever order the states arrive. `set_by` has, by column, the event id of the webhook that set the
column.
"""

from stream.events.record import Micros, OrderId, PaymentStatus, Record, RefundStatus, ShippingStatus


class PaymentState(Record, frozen=True, kw_only=True):
    """The payment of an order. `paid_amount` is None while nothing is paid."""

    revision: tuple[int, ...]
    payment_status: PaymentStatus | None = None
    payment_method: str | None = None
    transaction_id: str | None = None
    paid_amount: int | None = None
    currency: str | None = None
    paid_at: Micros | None = None
    refunded_amount: int
    set_by: dict[str, str]


class ShipmentState(Record, frozen=True, kw_only=True):
    """One parcel. `order_id` is the order that it belongs to now."""

    revision: tuple[int, ...]
    shipment_id: str
    order_id: OrderId
    shipping_status: ShippingStatus
    tracking_number: str | None = None
    carrier: str | None = None
    last_location: str | None = None
    shipping_updated_at: Micros | None = None
    set_by: dict[str, str]


class RefundState(Record, frozen=True, kw_only=True):
    """The refunds of an order."""

    revision: tuple[int, ...]
    refund_status: RefundStatus | None = None
    refunded_amount: int
    currency: str | None = None
    set_by: dict[str, str]
