"""Crypto invoices: reads `webhooks.invoice.v1`, owns invoices, transfers and credits, announces on `invoices.v1`."""
