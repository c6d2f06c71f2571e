"""The base class of records, and the enumerations that several of them share."""

from typing import Literal, NewType

import msgspec

EventId = NewType("EventId", str)
"""The id of an event: a UUIDv5 that every repetition of the same webhook or change has (see `ids`)."""
OrderId = NewType("OrderId", str)
"""The shop's id of an order."""
Micros = NewType("Micros", int)
"""A time in microseconds since 1970 UTC."""

Mode = Literal["live", "test"]
Verification = Literal["signature", "shared_secret", "confirmed", "source_ip", "unsigned_allowed"]
PaymentStatus = Literal[
    "pending", "waiting_for_deposit", "failed", "expired", "completed", "partially_cancelled", "cancelled"
]
ShippingStatus = Literal["preparing", "in_transit", "out_for_delivery", "failed", "delivered"]
RefundStatus = Literal["pending", "processing", "rejected", "completed"]
DisputeStatus = Literal[
    "warning_needs_response",
    "warning_under_review",
    "needs_response",
    "under_review",
    "warning_closed",
    "closed",
    "lost",
    "won",
]
InvoiceState = Literal["Ready", "Wait", "Pending", "Cancel", "Fail", "Reject", "Complete"]
TransferState = Literal["Pending", "Fail", "Complete"]
ProviderPhase = Literal["paused", "draining", "finishing", "active"]
OutcomeKind = Literal["processed", "late", "duplicate", "conflict", "waiting", "retrying", "dead", "dismissed"]


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The base class of everything that a topic carries."""
