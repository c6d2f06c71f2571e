"""Processors come and go, freeze and come back, under load: one owner a partition, and the store decides who."""

from collections.abc import Callable
from threading import Event, Thread

import pytest

from stream.events import topics
from stream.events.topics import PARTITIONS
from tests.actors import Store, until
from tests.failing import engine, refusing
from tests.faults.orders import Orders
from tests.log import reading
from tests.replicas import Replica, Replicas, shares

TOPICS = topics.service("payment").reads

pytestmark = pytest.mark.long

ALL = len(TOPICS) * PARTITIONS


@pytest.mark.parametrize(
    ("point", "noticed"),
    [
        ("worker.after_consume", "offsets.unsettled"),  # it polls before its first batch, and so learns it from Kafka
        ("worker.after_decode", "worker.fenced"),
    ],
)
def test_a_frozen_processor_that_comes_back_while_the_store_still_listens_to_it_gives_its_batch_up(
    point: str, noticed: str, spare: Replica, processors: Replicas, system: dict[str, str]
) -> None:
    orders = Orders(system)

    with reading(system, topics.PAYMENTS) as published:
        zombie = processors.join(f"{point}:stop")
        zombie.wait_for("partitions.owned")  # or it would take them over when it comes back, as it may
        orders.post_chain()
        zombie.is_frozen_by_its_fault()
        orders.wait_for_rows()  # by the other, to which its partitions have gone
        zombie.thaw()
        zombie.wait_for(noticed)
        published.wait_until(orders.are_all_published)
        zombie.wait_for("partitions.assigned", 2)

    assert (zombie.metric("hookstream_fenced_total") > 0) == (noticed == "worker.fenced")
    orders.assert_applied_once_in_order()
    orders.assert_published_once_in_order(published.records)


def test_a_processor_frozen_in_its_transaction_holds_its_successor_up_until_the_store_ends_it(
    spare: Replica, processors: Replicas, system: dict[str, str]
) -> None:
    orders = Orders(system)
    short_session = f"{system['PAYMENT_DATABASE_URL']}?options=-cidle_in_transaction_session_timeout%3D6000"

    zombie = processors.join("worker.before_commit:stop", DATABASE_URL=short_session)
    orders.post_chain()
    zombie.is_frozen_by_its_fault()
    orders.wait_for_rows()
    zombie.thaw()
    zombie.wait_for("store.failed")

    orders.assert_applied_once_in_order()


def test_a_processor_frozen_between_commit_and_publishing_tells_again_what_its_successor_has_told(
    spare: Replica, processors: Replicas, system: dict[str, str]
) -> None:
    orders = Orders(system)
    orders.post_first_status()

    with reading(system, topics.PAYMENTS) as published:
        zombie = processors.join("worker.after_commit:stop")
        orders.post_rest()
        zombie.is_frozen_by_its_fault()
        orders.wait_for_rows()
        published.wait_until(orders.are_all_published)
        zombie.thaw()
        zombie.wait_for("partitions.assigned", 2)  # lost, or given up when it found that another worker owns them

    orders.assert_applied_once_in_order()
    orders.assert_published_once_in_order(published.records)
    orders.assert_mailed_once()


def test_an_event_that_is_tried_again_is_not_by_whoever_has_lost_it(
    spare: Replica, processors: Replicas, system: dict[str, str], payments: Store
) -> None:
    """What a zombie would tell of it might never be published: its successor has already looked."""
    orders = Orders(system)

    with refusing(engine(system), *orders.ids):
        zombie = processors.join("worker.before_retry:stop")
        orders.post_chain()
        zombie.is_frozen_by_its_fault()
        before = epochs(payments)
    until(lambda: epochs(payments), lambda now: now == before + ALL // 2)  # its successor's
    zombie.thaw()
    zombie.wait_for("worker.fenced")

    orders.assert_applied_once()


def test_processors_share_every_topic(spare: Replica, processors: Replicas, system: dict[str, str]) -> None:
    """Else a second one of them would take no load off the first."""
    second = processors.start()
    until(lambda: (spare.owns(), second.owns()), lambda owned: owned == (ALL // 2, ALL // 2))

    each = shares(system, "payment")

    assert each == [dict.fromkeys([topic.name for topic in TOPICS], PARTITIONS // 2)] * 2


@pytest.mark.parametrize("count", [2, 4])
def test_processors_that_are_restarted_in_turn_under_load_lose_nothing_and_keep_the_order(
    count: int, spare: Replica, processors: Replicas, system: dict[str, str]
) -> None:
    members = [spare, *(processors.start() for _ in range(count - 1))]
    until(lambda: sorted(member.owns() for member in members), lambda owned: owned == [ALL // count] * count)
    done, rounds = Event(), []

    def load() -> None:
        while not done.is_set():
            rounds.append(Orders(system))
            rounds[-1].post_chain()

    with reading(system, topics.PAYMENTS) as published:
        loading = Thread(target=load)
        loading.start()
        for end in _ways_to_end(count):
            member = members.pop()
            end(member)
            members.insert(0, processors.join())
        done.set()
        loading.join()
        for orders in rounds:
            orders.assert_applied_once_in_order()
        published.wait_until(lambda records: all(orders.are_all_published(records) for orders in rounds))
    for orders in rounds:
        orders.assert_published_once_in_order(published.records)


def epochs(payments: Store) -> int:
    (row,) = payments.rows("SELECT sum(epoch)::bigint AS all FROM ownership")
    return int(row["all"])


def _ways_to_end(count: int) -> list[Callable[[Replica], object]]:
    return [Replica.stop, Replica.kill] * (count // 2)
