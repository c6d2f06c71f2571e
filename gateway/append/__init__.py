"""Appends records to Kafka, or to the spool on disk while Kafka is unavailable."""
