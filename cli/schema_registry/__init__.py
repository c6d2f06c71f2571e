"""Checks, extends and pushes the committed registry of Avro schemas."""
