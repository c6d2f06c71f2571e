"""Runs the whole system on one machine without containers: Kafka, Postgres, an inbox and every service."""
