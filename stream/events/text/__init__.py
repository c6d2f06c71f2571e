"""Reads, masks and names texts of events: JSON, e-mail addresses, personal data, payment methods."""
