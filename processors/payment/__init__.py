"""Payments: reads `webhooks.payment.v1` and `orders.v1`, owns the payments, announces on `payments.v1`."""
