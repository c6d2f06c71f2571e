"""Asks the providers' APIs, within their limits, and publishes their answers."""
