"""HTTP in, verified events out. It remembers nothing, and answers 2xx only for what Kafka has."""
