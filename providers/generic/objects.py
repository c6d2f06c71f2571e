"""The JSON bodies of contract A."""

from typing import Literal

import msgspec

from providers.parsing.fields import ABSENT, Id, Instant, OrderId, StrictOptional, Text


class PaymentBody(msgspec.Struct):
    orderId: OrderId
    status: Literal["completed", "failed", "cancelled", "canceled", "pending"]
    type: StrictOptional[Literal["payment"]] = None
    paymentMethod: Text | None = None
    transactionId: Id | None = None
    amount: msgspec.Raw = ABSENT
    paidAt: Instant = ABSENT


class ShippingBody(msgspec.Struct):
    orderId: OrderId
    status: Literal["preparing", "in_transit", "out_for_delivery", "delivered", "failed"]
    type: StrictOptional[Literal["shipping"]] = None
    trackingNumber: Id | None = None
    carrier: Text | None = None
    location: Text | None = None
    timestamp: Instant = ABSENT


class RefundBody(msgspec.Struct):
    orderId: OrderId
    refundId: Id
    status: Literal["pending", "processing", "completed", "rejected"]
    type: StrictOptional[Literal["refund"]] = None
    amount: msgspec.Raw = ABSENT
    reason: Text | None = None
    processedAt: Instant = ABSENT
