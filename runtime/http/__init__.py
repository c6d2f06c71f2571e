"""Addresses of HTTP clients, for every listener that is public."""
