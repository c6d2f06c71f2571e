"""The payment processor: reads `webhooks.payment.v1`, `orders.v1`, …, stores payments, publishes `payments.v1`."""
