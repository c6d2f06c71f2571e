"""The subscription processor: reads `payments.v1`, stores each user's plan, publishes `subscriptions.v1`."""
