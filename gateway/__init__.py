"""Receives webhooks over HTTP and appends verified events to Kafka; answers 2xx once a record is durable. No store."""
