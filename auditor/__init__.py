"""Audits a running system from outside, by its topics, stores and mails, and by the responses that senders received."""
