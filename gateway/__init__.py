"""Receives webhooks over HTTP; verified events are in Kafka or the spool before they are answered 2xx. No store."""
