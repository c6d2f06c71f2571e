"""Clients of hookstream's own listeners."""
