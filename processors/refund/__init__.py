"""The refund processor: reads `webhooks.refund.v1` and others, stores refunds and totals, publishes `refunds.v1`."""
