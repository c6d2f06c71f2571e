"""Sends verification requests to the providers' APIs, within their limits, and publishes the results."""
