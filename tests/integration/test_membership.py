"""A member that has to wait keeps its place in the group and takes nothing in meanwhile; later it misses nothing."""

from collections.abc import Iterator

import pytest
from confluent_kafka import Message

from stream import topics
from stream.membership import Membership
from tests.actors import new_order, until
from tests.builders import a_payment
from tests.log import CODEC, append_at_once

MANY = 50


@pytest.fixture
def member(system: dict[str, str]) -> Iterator[Membership]:
    """The only member of a group of its own, which has read up to now."""
    member = Membership(f"tests-{new_order()}", system["KAFKA_BOOTSTRAP_SERVERS"], [topics.PAYMENT_WEBHOOKS])
    member.join()
    until(lambda: (member.consume(1000), member.joined), lambda now: now == ([], True))
    yield member
    member.leave()


def test_who_waits_takes_nothing_in_and_reads_all_of_it_in_order_later(
    member: Membership, system: dict[str, str]
) -> None:
    order = new_order()
    payments = [a_payment(order=order, name=f"{order} {number}") for number in range(MANY)]
    append_at_once(system, topics.PAYMENT_WEBHOOKS, 0, payments)
    read = of(order, until(lambda: member.consume(1), lambda some: bool(of(order, some))))

    for _ in range(MANY):
        member.keep()
    read += of(order, member.consume(1))

    assert len(read) <= 2, "one may have been in its hands already"

    member.resume()
    while len(read) < MANY:  # the test's own time limit ends what never comes
        read += of(order, member.consume(10))

    assert read == [payment.envelope.event_id for payment in payments]


def of(order: str, messages: list[Message]) -> list[str]:
    """Of what was read, the ids of this order's events."""
    records = (CODEC.decode(message.value()) for message in messages)
    return [record.envelope.event_id for record in records if record.notice.order_id == order]  # type: ignore[attr-defined]
