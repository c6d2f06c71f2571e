"""The end offset of each partition of a consumer, from its last fetches or from Kafka; unknown ones are left out.

An end offset is the offset after the last record.
"""

from collections.abc import Collection

from confluent_kafka import OFFSET_END, Consumer, KafkaException, TopicPartition

from runtime.logging import log
from stream.kafka.position import Partition

TIMEOUT_S = 1.0


def of_last_fetch(consumer: Consumer, partitions: Collection[Partition]) -> dict[Partition, int]:
    """Return the end offsets that came with the last fetch of each partition, without a request to Kafka.

    They are outdated while the consumer is paused.
    """
    cached = {
        partition: consumer.get_watermark_offsets(TopicPartition(*partition), cached=True) for partition in partitions
    }
    return {partition: offsets[1] for partition, offsets in cached.items() if offsets and offsets[1] >= 0}


def query(consumer: Consumer, partitions: Collection[Partition]) -> dict[Partition, int]:
    """Return the end offsets of these partitions by one request to Kafka; empty without an answer within TIMEOUT_S.

    One request per partition would queue behind the client's other requests each time.
    """
    queries = [TopicPartition(*partition, OFFSET_END) for partition in partitions]
    try:
        found = consumer.offsets_for_times(queries, TIMEOUT_S) if queries else []
    except KafkaException as failure:
        log.info("offsets.unknown", error=failure.args[0].str())
        return {}
    return {(end.topic, end.partition): end.offset for end in found if end.error is None and end.offset >= 0}
