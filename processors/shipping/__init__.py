"""The shipping processor: reads `webhooks.shipping.v1`, stores shipments, publishes `shipments.v1`."""
