"""Everything that talks to the broker: clients, the consumer, topics, and the watch over librdkafka."""
