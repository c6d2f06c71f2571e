"""The states of invoices and transfers: which may follow which, and the domain event that each makes hold."""

from stream.events import (
    InvoiceCancelled,
    InvoiceCompleted,
    InvoiceEvent,
    InvoiceFailed,
    InvoicePending,
    InvoiceRejected,
)

TRANSITIONS = (
    ("Ready",),
    ("Wait",),
    ("Pending",),
    ("Cancel",),
    ("Reject",),
    ("Fail",),
    ("Complete",),
)
"""A state may follow the states above it; any other sequence is `late`.

Money that arrived is never hidden: Complete outranks all states, and Fail, which may hold money to be refunded,
outranks the final states in which no money was sent. No choice between two final states therefore depends on clocks.
"""

TRANSFER_TRANSITIONS = (("Pending",), ("Fail",), ("Complete",))
"""The states of a transfer. They do not change the invoice: the provider sends the invoice's own webhook too."""

UNSUCCESSFUL = ("Cancel", "Reject", "Fail")

EXPIRING = ("Ready", "Wait", "Pending", "Cancel")
"""The states that have an expiry time."""

EVENT_BY_STATE: dict[str, type[InvoiceEvent]] = {
    "Pending": InvoicePending,
    "Cancel": InvoiceCancelled,
    "Reject": InvoiceRejected,
    "Fail": InvoiceFailed,
    "Complete": InvoiceCompleted,
}
