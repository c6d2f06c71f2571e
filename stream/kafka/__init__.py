"""The broker: client configuration, consumers, producer settings, topic administration, a watchdog for librdkafka."""
