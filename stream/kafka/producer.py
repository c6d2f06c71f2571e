"""The properties of all Kafka clients, and of producers: acknowledged by every in-sync replica, ordered, idempotent."""

from confluent_kafka import KafkaError

from runtime.logging import log


def log_client_error(error: KafkaError) -> None:
    """Log an error of a client; a callback, because librdkafka's own log is off: its lines are not JSON."""
    log.warning("kafka.error", error=error.str())


CLIENT: dict[str, object] = {
    "allow.auto.create.topics": False,
    "socket.keepalive.enable": True,
    "reconnect.backoff.max.ms": 2_000,
    "log_level": 0,
    "error_cb": log_client_error,
}
LARGEST_MESSAGE = 1_000_000
"""Maximum size of a record in bytes, including Kafka's overhead."""
PRODUCER: dict[str, object] = {
    **CLIENT,
    "acks": "all",
    "enable.idempotence": True,
    "partitioner": "murmur2_random",  # the partitions that Java clients choose
    "compression.type": "lz4",
    "message.max.bytes": LARGEST_MESSAGE,
}
