"""`tosspayments`: contract C, subscriptions paid through Tosspayments. Toss Payments' own webhooks are `toss`."""
