"""Clients that commands use: the console's API, the management listeners, Kafka's offsets, quarantine and entries."""
