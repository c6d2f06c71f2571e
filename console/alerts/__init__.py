"""Alerts: what is wrong now, who is told about it, and that it is over."""
