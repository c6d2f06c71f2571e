"""Writes the log: the SQL of the worker. Queries are in `console.queries`, the clean-up's SQL is in `retention`."""
