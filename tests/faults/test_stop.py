"""A clean stop: the batch in hand is finished and told, its offsets are committed, the group is left; within 5 s."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions

from runtime.shutdown import LATE
from stream.events import topics
from tests.actors import Store, until
from tests.faults.orders import Orders
from tests.kafka_settings import admin_of
from tests.log import reading
from tests.processes import pid
from tests.proxy import proxy
from tests.replicas import Replicas

pytestmark = pytest.mark.long

PROMISED_S = 5.0
HANDLED = 'SELECT topic, partition, max("offset") + 1 AS "next" FROM inbox GROUP BY topic, partition'


def test_a_processor_asked_to_stop_under_load_leaves_nothing_to_tell_and_nothing_to_read_again(
    processors: Replicas, system: dict[str, str], payments: Store
) -> None:
    processor, done, rounds = processors.only(), Event(), [Orders(system)]
    loading = Thread(target=lambda: _load(rounds, done))

    loading.start()
    payments.wait_for("SELECT 1 FROM payments WHERE order_id = ANY (%s)", rounds[0].ids, count=rounds[0].count)
    code, seconds = processor.stop()
    left = payments.rows("SELECT topic, key FROM outbox")
    handled = {(row["topic"], row["partition"]): row["next"] for row in payments.rows(HANDLED)}
    committed = offsets(system, "payment")
    done.set()
    loading.join()

    assert (code, left) == (0, [])
    assert seconds < PROMISED_S
    assert {place: offset for place, offset in handled.items() if committed[place] < offset} == {}
    processors.only()
    for orders in rounds:
        orders.assert_applied_once_in_order()


def test_a_processor_whose_store_has_fallen_silent_stops_in_time_all_the_same(
    processors: Replicas, system: dict[str, str]
) -> None:
    url = urlsplit(system["PAYMENT_DATABASE_URL"])
    orders = Orders(system)
    with proxy(url.hostname or "", url.port or 0) as line:
        through = url._replace(netloc=f"{url.username}:{url.password}@127.0.0.1:{line.port}").geturl()
        processor = processors.only(DATABASE_URL=through)
        line.silent = True
        orders.post_chain()
        code, seconds = processor.stop()

    assert (code, seconds < PROMISED_S) == (LATE, True)
    assert processor.lines("stopping.late")
    processors.only()
    orders.assert_applied_once_in_order()


def test_a_processor_whose_group_was_forgotten_goes_on_where_its_store_is_and_commits_that(
    processors: Replicas, system: dict[str, str], payments: Store
) -> None:
    processor, orders = processors.only(), Orders(system)
    orders.post_chain()
    orders.assert_applied_once_in_order()
    processor.stop()
    handled = {(row["topic"], row["partition"]): row["next"] for row in payments.rows(HANDLED)}

    with reading(system, topics.PAYMENTS) as published:
        forget(system, "payment")
        processors.only()
        until(
            lambda: offsets(system, "payment"),
            lambda now: all(now.get(place, 0) >= offset for place, offset in handled.items()),
        )

        assert published.read() == []
    orders.assert_applied_once_in_order()


@pytest.mark.parametrize("service", ["SHIPPING", "CONFIRMER", "NOTIFIER", "CONSOLE"])
def test_every_service_ends_within_5_s(service: str, system: dict[str, str]) -> None:
    process, began = pid(system, service), time.monotonic()

    os.kill(process, signal.SIGTERM)
    until(lambda: _is_there(process), lambda there: not there)

    assert time.monotonic() - began < PROMISED_S
    until(lambda: pid(system, service), lambda now: now not in (0, process))


def offsets(system: dict[str, str], group: str) -> dict[tuple[str, int], int]:
    admin = admin_of(system)
    (requested,) = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]).values()
    return {(place.topic, place.partition): place.offset for place in requested.result(10).topic_partitions}


def forget(system: dict[str, str], group: str) -> None:
    """As after a long holiday, or by a slip of the hand."""
    admin = admin_of(system)
    (done,) = admin.delete_consumer_groups([group]).values()
    done.result(10)


def _load(rounds: list[Orders], done: Event) -> None:
    while not done.is_set():
        rounds[-1].post_chain()
        rounds.append(Orders(rounds[0].system))
    rounds.pop()


def _is_there(process: int) -> bool:
    with suppress(OSError):
        return Path("/proc", str(process), "stat").read_text().rpartition(") ")[2][0] != "Z"
    return False
