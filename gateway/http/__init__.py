"""Checks requests before their body is read as a webhook: framing, size, time, rate, client address."""
