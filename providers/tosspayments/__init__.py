"""Contract C: subscriptions paid through Tosspayments."""
