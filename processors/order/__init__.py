"""The order processor: reads `orders.v1` and all domain events, stores each order's state, publishes it."""
