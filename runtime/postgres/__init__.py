"""Connections to Postgres, and a probe that notices a hung server."""
