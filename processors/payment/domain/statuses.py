"""The statuses of a payment, its transactions, refunds and disputes: which may follow which, and what each implies."""

TRANSITIONS = (
    ("pending",),
    ("failed", "expired"),
    ("waiting_for_deposit", "completed"),
    ("partially_cancelled",),
    ("cancelled",),
)
"""A status may follow the statuses of its own tier and of the tiers above it; any other sequence is `late`.

A deposit is awaited, then made, and the bank may reverse it (Toss: DONE → WAITING_FOR_DEPOSIT). Both statuses are in
one tier, so the later of the two holds. A failed refund takes a payment from a cancel back to completed; the log shows
this.
"""

PAID = ("completed", "partially_cancelled", "cancelled")
"""The statuses of a payment that was paid, even if it was cancelled later."""
LIVE = ("completed", "partially_cancelled")
"""The statuses of a transaction that holds the customer's money."""
CANCELS = ("partially_cancelled", "cancelled")
FAILED = ("failed", "expired")
PAID_RANK = next(rank for rank, tier in enumerate(TRANSITIONS) if "completed" in tier)

MONEY_STATUSES = ("waiting_for_deposit", "completed", "partially_cancelled", "cancelled")
"""The statuses that decide whether a transaction holds the customer's money. Of two at one time, the last here wins."""

MONEY_RANKS = {status: rank for rank, status in enumerate(MONEY_STATUSES)}

REFUND_RANKS = {"pending": 0, "processing": 1, "rejected": 2, "completed": 2}
"""The ranks of the statuses that a refund's own webhooks state: the status of the higher rank wins, then the later."""

DISPUTE_TRANSITIONS = (
    ("warning_needs_response", "warning_under_review"),
    ("needs_response", "under_review"),
    ("warning_closed", "closed", "lost", "won"),
)
"""As TRANSITIONS, of a dispute. An inquiry (`warning…`) may become a dispute; a later verdict may reverse another."""

INQUIRY, SETTLED = DISPUTE_TRANSITIONS[0], DISPUTE_TRANSITIONS[-1]
