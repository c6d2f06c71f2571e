"""Runs several gateway processes on one port under a supervisor."""
