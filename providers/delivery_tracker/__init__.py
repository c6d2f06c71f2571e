"""Delivery Tracker (tracker.delivery)."""
