"""Connections to Postgres, and a probe that payloads a hung server."""
