"""Alerts: conditions that need a person, and the messages that say when they begin and that they are over."""
