"""Refunds: reads `webhooks.refund.v1`, owns the refunds and each order's total, announces on `refunds.v1`."""
