"""Reads and checks the environment: settings, secrets, librdkafka's properties."""
