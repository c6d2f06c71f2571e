"""Asks providers whether their unsigned webhooks are true, and tells what they answer as confirmed events."""
