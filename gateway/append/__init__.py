"""Appends records to Kafka, and to the spool while Kafka is away."""
