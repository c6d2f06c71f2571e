"""What a request must be before it is looked at as a webhook: framing, size, time, rate, address."""
