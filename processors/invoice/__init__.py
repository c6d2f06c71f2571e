"""The invoice processor: reads `webhooks.invoice.v1`, stores invoices, transfers, credits, publishes `invoices.v1`."""
