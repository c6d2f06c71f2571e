"""The broker: client configuration, consumer, producer settings, topic administration, watchdog over librdkafka."""
