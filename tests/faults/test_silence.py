"""A processor that Kafka, well as it is, leaves without its partitions' offsets: it would wait for ever."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from runtime.shutdown import LATE
from stream.events import topics
from stream.events.topics import PARTITIONS
from stream.kafka.watchdog import CHECK_S, HEALTHY_CHECKS
from tests.actors import until
from tests.faults.orders import Orders
from tests.replicas import Replicas

pytestmark = pytest.mark.long

TIMEOUT_S = (HEALTHY_CHECKS + 1) * CHECK_S + 30


def test_it_says_so_and_ends_and_its_successor_reads_everything(processors: Replicas, system: dict[str, str]) -> None:
    orders = Orders(system)
    processors.none()
    orders.post_contacts()

    with unstable(system, "payment"):
        deaf = processors.join()
        orders.post_chain()
        (problem,) = until(deaf.problems, bool, TIMEOUT_S)
        ended = deaf.process.wait(TIMEOUT_S)
    processors.only()

    assert "Kafka does not return the group's offsets" in problem
    assert ended in (1, LATE)
    assert len(deaf.lines("kafka.client_stuck")) == 1
    orders.assert_applied_once_in_order()
    orders.assert_mailed_once()


@contextmanager
def unstable(system: dict[str, str], group: str) -> Iterator[None]:
    """Offsets of this group are being committed in a transaction that does not end: Kafka tells none of them."""
    servers = {"bootstrap.servers": system["KAFKA_BOOTSTRAP_SERVERS"], "log_level": 0}
    producer = Producer({**servers, "transactional.id": f"tests-{group}", "transaction.timeout.ms": 600_000})
    producer.init_transactions(30)
    producer.begin_transaction()
    offsets = [TopicPartition(topics.PAYMENT_WEBHOOKS.name, number, 0) for number in range(PARTITIONS)]
    nobody = Consumer({**servers, "group.id": group})
    producer.send_offsets_to_transaction(offsets, nobody.consumer_group_metadata(), 30)
    try:
        yield
    finally:
        producer.abort_transaction(30)
        nobody.close()
