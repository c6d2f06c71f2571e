"""The environment, read once and checked: settings, secrets, librdkafka's properties."""
