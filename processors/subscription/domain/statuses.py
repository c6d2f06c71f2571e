"""The statuses of a subscription: which may follow which."""

TRANSITIONS = (("inactive",), ("active", "cancelled"))
"""A newer order makes a cancelled subscription active again."""
