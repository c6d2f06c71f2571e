"""Clients that commands use: of the console's API, the management listeners, and the topics in Kafka."""
