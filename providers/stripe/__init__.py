"""Stripe: payments, refunds and disputes."""
