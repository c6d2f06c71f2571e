"""How everybody here produces: acknowledged by every in-sync replica, in order, without making duplicates."""

from typing import Any

from confluent_kafka import KafkaError

from runtime.logging import log


def log_client_error(error: KafkaError) -> None:
    """Log what a client has to say; librdkafka itself is silenced, since its lines are not JSON."""
    log.warning("kafka.error", error=error.str())


CLIENT: dict[str, Any] = {
    "allow.auto.create.topics": False,
    "socket.keepalive.enable": True,
    "reconnect.backoff.max.ms": 2_000,
    "log_level": 0,
    "error_cb": log_client_error,
}
LARGEST_MESSAGE = 1_000_000
"""Bytes of a record with all that Kafka adds to it."""
PRODUCER: dict[str, Any] = {
    **CLIENT,
    "acks": "all",
    "enable.idempotence": True,
    "partitioner": "murmur2_random",  # keys meet those of Java clients
    "compression.type": "lz4",
    "message.max.bytes": LARGEST_MESSAGE,
}
