"""A member that has to wait keeps its place in the group and takes nothing in meanwhile; later it misses nothing."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, Message

from stream.events import topics
from stream.kafka.cluster import Cluster
from stream.kafka.group.consumer import CONSUMER, GroupConsumer
from stream.kafka.position import Owned, Partition
from stream.kafka.watchdog import CHECK_S
from tests.actors import new_order, until
from tests.builders import a_payment
from tests.kafka_settings import admin_of
from tests.log import CODEC, append_at_once

MANY, BUSY = 50, 2000
FOR_EVER_S = 600.0
"""Longer than a test may take."""
TOO_LONG_MS = 6000


@pytest.fixture
def group() -> str:
    return f"tests-{new_order()}"


@pytest.fixture
def member(system: dict[str, str], group: str) -> Iterator[GroupConsumer]:
    with member_of(system, group) as member:
        yield member


@contextmanager
def member_of(system: dict[str, str], group: str) -> Iterator[GroupConsumer]:
    """The only member of the group, which has read up to now what the tests put on partition 0."""
    member = GroupConsumer(group, Cluster.of_environment(system, "tests"), [topics.PAYMENT_WEBHOOKS])
    member.join()
    until(lambda: (member.consume(1000), member.partitions.joined), lambda now: now[1])
    mark = new_order()
    append_at_once(system, topics.PAYMENT_WEBHOOKS, 0, [a_payment(order=mark, name=mark)])
    until(lambda: member.consume(1000), lambda some: bool(of(mark, some)))
    yield member
    member.leave()


def test_who_waits_takes_nothing_in_and_reads_all_of_it_in_order_later(
    member: GroupConsumer, system: dict[str, str]
) -> None:
    order = new_order()
    payments = [a_payment(order=order, name=f"{order} {number}") for number in range(MANY)]
    append_at_once(system, topics.PAYMENT_WEBHOOKS, 0, payments)
    read = of(order, until(lambda: member.consume(1), lambda some: bool(of(order, some))))

    for _ in range(MANY):
        member.pause()
    read += of(order, member.consume(1))

    assert len(read) <= 2, "one may have been in its hands already"

    member.resume()
    while len(read) < MANY:  # the test's own time limit ends what never comes
        read += of(order, member.consume(10))

    assert read == [payment.envelope.event_id for payment in payments]


def test_kafka_knows_where_a_group_begins_before_its_first_records_are_handled(
    member: GroupConsumer, system: dict[str, str]
) -> None:
    """Else a worker killed before its first commit would seem forgotten, and its outcomes would be skipped."""
    order = new_order()
    append_at_once(system, topics.PAYMENT_WEBHOOKS, 0, [a_payment(order=order, name=f"{order} {n}") for n in (1, 2)])
    messages = until(lambda: member.consume(2, FOR_EVER_S), lambda some: len(of(order, some)) == 2)
    partition = (topics.PAYMENT_WEBHOOKS.name, 0)
    assert partition not in member.offsets.committed()
    member.own(dict.fromkeys(member.partitions.unacquired, Owned(1, 0)))

    member.commit_beginnings(messages, member.pause)
    member.commit_beginnings(messages[1:], member.pause)

    assert member.offsets.committed()[partition] == messages[0].offset()


def test_a_commit_of_one_partition_is_not_taken_for_the_beginning_of_another(
    member: GroupConsumer, system: dict[str, str], group: str
) -> None:
    """librdkafka's report of a commit of stored offsets names all assigned partitions."""
    order, other = new_order(), new_order()
    append_at_once(system, topics.PAYMENT_WEBHOOKS, 0, [a_payment(order=order, name=order)])
    messages = until(lambda: member.consume(1), lambda some: bool(of(order, some)))
    member.own(dict.fromkeys(member.partitions.unacquired, Owned(1, 0)))
    member.commit_offsets({(topics.PAYMENT_WEBHOOKS.name, 0): messages[-1].offset() or 0})
    until(lambda: (member.consume(1), committed(system, group)), lambda now: now[1].keys() == {0})

    append_at_once(system, topics.PAYMENT_WEBHOOKS, 1, [a_payment(order=other, name=other)])
    messages = until(lambda: member.consume(1), lambda some: bool(of(other, some)))
    member.commit_beginnings(messages, member.pause)

    assert committed(system, group)[1] == messages[0].offset()


def test_who_loses_its_partitions_while_it_commits_the_beginning_waits_no_longer(
    member: GroupConsumer, system: dict[str, str]
) -> None:
    """librdkafka's own wait for a commit never ended then, and with it the worker's thread."""
    order = new_order()
    append_at_once(system, topics.PAYMENT_WEBHOOKS, 0, [a_payment(order=order, name=order)])
    messages = until(lambda: member.consume(1), lambda some: bool(of(order, some)))
    member.own(dict.fromkeys(member.partitions.unacquired, Owned(1, 0)))

    with pytest.raises(KafkaException, match="ASSIGNMENT_LOST"):
        member.commit_beginnings(messages, member.partitions.clear)


def test_a_batch_gathers_what_comes_after_its_first_record_and_a_full_one_does_not_wait(
    member: GroupConsumer, system: dict[str, str]
) -> None:
    first, second = new_order(), new_order()
    append_at_once(system, topics.PAYMENT_WEBHOOKS, 0, [a_payment(order=first, name=first)])

    later = Timer(0.5, append_at_once, (system, topics.PAYMENT_WEBHOOKS, 0, [a_payment(order=second, name=second)]))
    later.start()
    batch = until(lambda: member.consume(2, FOR_EVER_S), bool)
    later.join()

    assert [bool(of(order, batch)) for order in (first, second)] == [True, True]


def test_who_loses_its_partitions_while_it_waits_reads_on_when_it_has_them_again(
    system: dict[str, str], group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To librdkafka what was paused is paused, also when it is assigned anew."""
    monkeypatch.setitem(CONSUMER, "max.poll.interval.ms", TOO_LONG_MS)
    order = new_order()
    payments = [a_payment(order=order, name=f"{order} {number}") for number in range(MANY)]
    with member_of(system, group) as member:
        member.own(dict.fromkeys(member.partitions.unacquired, Owned(1, 0)))
        member.pause()
        time.sleep(TOO_LONG_MS / 1000 + 1)  # nothing may happen for so long
        until(lambda: waiting(member), lambda epochs: not epochs)
        member.resume()  # of nothing: nothing is assigned
        until(lambda: turn(member), lambda _: bool(member.partitions.unacquired))

        append_at_once(system, topics.PAYMENT_WEBHOOKS, 0, payments)
        read = of(order, until(lambda: turn(member), lambda some: bool(of(order, some))))
        while len(read) < MANY:
            read += of(order, turn(member))

    assert read == [payment.envelope.event_id for payment in payments]


@pytest.mark.long
def test_who_is_busy_is_listened_to_as_well(member: GroupConsumer, system: dict[str, str]) -> None:
    """Before the first statistics nothing seems to be read; they clear it, though there is never a quiet moment."""
    order = new_order()
    many = [a_payment(order=order, name=f"{order} {number}") for number in range(BUSY)]
    append_at_once(system, topics.PAYMENT_WEBHOOKS, 0, many)
    until(lambda: member.consume(1), bool)

    assert all(slowly(member) for _ in range(BUSY // 3))
    assert member.problem() is None, "all that is its own is read"

    member.partitions.unacquired.add((topics.ORDERS.name, 0))  # as its own, though it has not asked librdkafka for it
    while member.problem() is None and slowly(member):
        pass

    assert "consumer has received nothing from Kafka" in (member.problem() or "")
    assert member.consume(1), "it was busy all the while"


def slowly(member: GroupConsumer) -> list[Message]:
    """One record, at a pace at which it stays busy longer than a silence takes to be told of."""
    time.sleep(CHECK_S / (BUSY // 4))
    return member.consume(1)


def waiting(member: GroupConsumer) -> dict[Partition, Owned]:
    """What it owns after another moment."""
    member.pause()
    return member.owned


def turn(member: GroupConsumer) -> list[Message]:
    """As a worker has them, one after the other."""
    messages = member.consume(10)
    member.resume()
    return messages


def committed(system: dict[str, str], group: str) -> dict[int, int]:
    """The offsets that Kafka has of the group, by partition."""
    admin = admin_of(system)
    (requested,) = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]).values()
    return {place.partition: place.offset for place in requested.result(10).topic_partitions}


def of(order: str, messages: list[Message]) -> list[str]:
    """Of what was read, the ids of this order's events; other tests' records may be rubbish."""
    ours = (CODEC.decode(message.value()) for message in messages if message.key() == order.encode())
    return [record.envelope.event_id for record in ours]  # type: ignore[attr-defined]
