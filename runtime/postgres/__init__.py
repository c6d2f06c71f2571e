"""Connections to Postgres, and whether it is alive."""
