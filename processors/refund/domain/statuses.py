"""The statuses of a refund: which may follow which, and the domain event that each makes hold."""

from stream.events import RefundCompleted, RefundEvent, RefundRejected

TRANSITIONS = (
    ("pending",),
    ("processing",),
    ("rejected", "completed"),
)
"""A status may follow the statuses of its own tier and of the tiers above it; any other sequence is `late`.

A bank may return a completed refund (Stripe: succeeded → failed). Both statuses are in one tier, so the later of the
two holds.
"""

ENDS = TRANSITIONS[-1]

EVENT_BY_STATUS: dict[str, type[RefundEvent]] = {"completed": RefundCompleted, "rejected": RefundRejected}
