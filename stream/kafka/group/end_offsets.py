"""The end offsets of a consumer's partitions: from its last fetches, or from Kafka. Partitions may be left out."""

from collections.abc import Collection

from confluent_kafka import OFFSET_END, Consumer, KafkaException, TopicPartition

from runtime.logging import log
from stream.kafka.position import Partition

TIMEOUT_S = 1.0


def of_last_fetch(consumer: Consumer, partitions: Collection[Partition]) -> dict[Partition, int]:
    """Return the end offsets that came with the last fetch; they are not renewed while the consumer is paused."""
    cached = {
        partition: consumer.get_watermark_offsets(TopicPartition(*partition), cached=True) for partition in partitions
    }
    return {partition: offsets[1] for partition, offsets in cached.items() if offsets and offsets[1] >= 0}


def query(consumer: Consumer, partitions: Collection[Partition]) -> dict[Partition, int]:
    """Query Kafka in one request; none when it does not answer within TIMEOUT_S.

    One request per partition would each time queue behind the other requests.
    """
    queries = [TopicPartition(*partition, OFFSET_END) for partition in partitions]
    try:
        found = consumer.offsets_for_times(queries, TIMEOUT_S) if queries else []
    except KafkaException as failure:
        log.info("offsets.unknown", error=failure.args[0].str())
        return {}
    return {(end.topic, end.partition): end.offset for end in found if end.error is None and end.offset >= 0}
