"""The statuses of an order's payment and parcel by the type of a domain event that carries no state."""

from stream.events import (
    AmountMismatched,
    DepositAwaited,
    DepositReversed,
    DomainEvent,
    InvoiceCancelled,
    InvoiceCompleted,
    InvoiceFailed,
    InvoicePending,
    InvoiceRejected,
    PaymentCancelled,
    PaymentCompleted,
    PaymentFailed,
    PaymentRefunded,
    PaymentStatus,
    ShipmentDelivered,
    ShipmentFailed,
    ShipmentInTransit,
    ShipmentOutForDelivery,
    ShippingStatus,
)

PAYMENT_STATUSES: dict[type[DomainEvent], PaymentStatus] = {
    InvoicePending: "pending",
    InvoiceCancelled: "cancelled",
    InvoiceRejected: "failed",
    InvoiceFailed: "failed",
    InvoiceCompleted: "completed",
    PaymentFailed: "failed",
    DepositAwaited: "waiting_for_deposit",
    DepositReversed: "waiting_for_deposit",
    PaymentCompleted: "completed",
    AmountMismatched: "completed",
    PaymentRefunded: "partially_cancelled",
    PaymentCancelled: "cancelled",
}
"""The status that an event of each type states. Of two events about one order, the type further down wins."""

SHIPPING_STATUSES: dict[type[DomainEvent], ShippingStatus] = {
    ShipmentInTransit: "in_transit",
    ShipmentOutForDelivery: "out_for_delivery",
    ShipmentFailed: "failed",
    ShipmentDelivered: "delivered",
}
