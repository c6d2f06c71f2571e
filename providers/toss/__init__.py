"""Toss Payments' own webhooks, and its API."""
