"""Simulates senders: posts webhooks as they would, and checks the resulting rows and mails."""
