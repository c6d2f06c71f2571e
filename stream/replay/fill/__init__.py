"""Fills an empty schema from the topics, resumable at any batch."""
