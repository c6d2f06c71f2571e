"""Subscriptions: reads `payments.v1`, owns each user's plan, announces on `subscriptions.v1`."""
