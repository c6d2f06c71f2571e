"""Members share a topic and take over from each other, whichever protocol their group speaks."""

import time
from collections.abc import Callable

import pytest
from confluent_kafka import Message

from stream.events import topics
from stream.events.topics import PARTITIONS
from stream.kafka.cluster import Cluster
from stream.kafka.group.consumer import GroupConsumer
from stream.kafka.position import Owned, Partition
from tests.actors import new_order
from tests.builders import a_payment
from tests.log import CODEC, append_at_once

CLASSIC = {"group.protocol": "classic"}
WAIT_S = 60
EVERY = {(topics.PAYMENT_WEBHOOKS.name, number) for number in range(PARTITIONS)}


@pytest.fixture(
    params=[
        {"group.protocol": "consumer"},
        CLASSIC,
        {**CLASSIC, "partition.assignment.strategy": "range", "session.timeout.ms": "6000"},
    ],
    ids=["consumer", "classic, cooperative-sticky", "classic, range"],
)
def cluster(request: pytest.FixtureRequest, system: dict[str, str]) -> Cluster:
    return Cluster(system["KAFKA_BOOTSTRAP_SERVERS"], "tests", properties=request.param)


@pytest.mark.long
def test_two_members_share_the_partitions_and_one_takes_over_all_of_them(
    cluster: Cluster, system: dict[str, str]
) -> None:
    group, order = f"tests-{new_order()}", new_order()
    first, second = (GroupConsumer(group, cluster, [topics.PAYMENT_WEBHOOKS]) for _ in range(2))
    first.join()
    turn_until(lambda: owned(first) == EVERY, first)

    second.join()
    turn_until(lambda: share(first, second), first, second)

    first.leave()
    turn_until(lambda: owned(second) == EVERY, second)
    for number in range(PARTITIONS):
        append_at_once(system, topics.PAYMENT_WEBHOOKS, number, [a_payment(order=order, name=f"{order} {number}")])
    read = set[int]()
    end = time.monotonic() + WAIT_S
    while len(read) < PARTITIONS and time.monotonic() < end:
        read |= {
            message.partition() or 0
            for message in turn(second)
            if message.key() == order.encode() and CODEC.decode(message.value())
        }
    second.leave()
    assert read == set(range(PARTITIONS))


def share(first: GroupConsumer, second: GroupConsumer) -> bool:
    """Whether each partition is one member's, and neither has none."""
    mine, theirs = owned(first), owned(second)
    return bool(mine and theirs) and not mine & theirs and mine | theirs == EVERY


def owned(member: GroupConsumer) -> set[Partition]:
    return set(member.owned)


def turn(member: GroupConsumer) -> list[Message]:
    """What a worker does again and again."""
    messages = member.consume(100)
    if member.partitions.unacquired:
        member.own(dict.fromkeys(member.partitions.unacquired, Owned(1, 0)))
    member.resume()
    return messages


def turn_until(done: Callable[[], bool], *members: GroupConsumer) -> None:
    end = time.monotonic() + WAIT_S
    while not done():
        assert time.monotonic() < end, [owned(member) for member in members]
        for member in members:
            turn(member)
