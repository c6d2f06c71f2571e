"""Alerts: conditions that need a person, and the messages that say when they begin and that they are over.

What the overview shows to a person who looks is an alarm: console/pages/overview/alarms.py. Limits of both: limits.py.
"""
