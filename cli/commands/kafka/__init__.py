"""Commands for Kafka: topics, and the schemas of their records."""
