"""Decisions, and the pages that follow from the code."""
