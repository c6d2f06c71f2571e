"""Parcels: reads `webhooks.shipping.v1`, owns the shipments, announces on `shipments.v1`."""
