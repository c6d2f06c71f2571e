"""Judges a running system from outside: by its topics, its stores and its mails, and by what senders were answered."""
