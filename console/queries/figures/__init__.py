"""Counts, amounts and delays of the log, by provider, hour and day."""
