"""What commands ask: the console, the management listeners, Kafka."""
