"""Sends queued mails by SMTP, and records what became of each."""
