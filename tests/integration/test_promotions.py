"""A store is put in the live one's place, and back, while webhooks keep coming: none is lost, none counts twice."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

import pytest

from stream.events import topics
from stream.events.topics import Topic
from stream.kafka.cluster import Cluster
from stream.replay import offsets as ends
from stream.replay.fill.ordered_reader import OrderedReader
from tests.actors import new_order, until
from tests.builders import a_refund, a_scan, an_approval, an_invoice
from tests.log import CODEC, writer
from tests.replays import ask, until_handled
from tests.rest import store

pytestmark = pytest.mark.long


@dataclass(frozen=True)
class Load:
    """A record that tells of a new thing by its name, where it goes, what row becomes of it, and what is announced."""

    service: str
    topic: Topic
    record: Callable[[str], Any]
    rows: str
    published: Topic


def a_parcel(name: str) -> Any:
    return a_scan("delivered", order=name, name=name, carrier_code="cj", tracking_number=name)


def an_end(name: str) -> Any:
    return a_refund(order=name, refund_id=name, name=name)


def a_plan(name: str) -> Any:
    return an_approval(f"BIZ-{name}-PRO-20231114")


def a_sale(name: str) -> Any:
    return an_invoice(invoice=name, name=name, customer_id=name, cash_amount=1000)


LOADS = (
    Load(
        "shipping",
        topics.SHIPPING_WEBHOOKS,
        a_parcel,
        "SELECT order_id AS name, version FROM shipments",
        topics.SHIPMENTS,
    ),
    Load("refund", topics.REFUND_WEBHOOKS, an_end, "SELECT order_id AS name, version FROM orders", topics.REFUNDS),
    Load(
        "subscription",
        topics.PAYMENTS,
        a_plan,
        "SELECT user_id AS name, version FROM subscriptions",
        topics.SUBSCRIPTIONS,
    ),
    Load(
        "invoice", topics.INVOICE_WEBHOOKS, a_sale, "SELECT invoice_id AS name, version FROM invoices", topics.INVOICES
    ),
)


@pytest.mark.parametrize("load", LOADS, ids=lambda load: load.service)
def test_what_came_while_stores_were_swapped_is_there_once(system: dict[str, str], load: Load) -> None:
    run, service = new_order(), load.service
    ask(system, service, "replay", "--into", "r_promoted")

    with coming(system, load, run) as came:
        ask(system, service, "replay", "diff", "r_promoted")
        ask(system, service, "replay", "promote", "r_promoted")
        until_more(came)
        ask(system, service, "replay", "rollback")
        until_more(came)

    until_handled(system, service)
    rows = store(system, service).rows(f"SELECT * FROM ({load.rows}) AS r WHERE name LIKE %s", f"{run}%")
    assert sorted((row["name"], row["version"]) for row in rows) == sorted((name, 1) for name in came)
    assert events(system, load.published, run) == set(came)
    ask(system, service, "replay", "drop", "r_promoted")


@contextmanager
def coming(system: dict[str, str], load: Load, run: str) -> Iterator[list[str]]:
    """The names of what has come so far, a hundred a second."""
    came: list[str] = []
    log, stop = writer(system), Event()

    def come() -> None:
        while not stop.wait(0.01):
            record = load.record(name := f"{run}-{len(came)}")
            key = name if load.topic is topics.PAYMENTS else load.topic.key(record)
            log.append(load.topic, key, record)
            came.append(name)

    thread = Thread(target=come)
    thread.start()
    try:
        yield came
    finally:
        stop.set()
        thread.join()


def until_more(came: list[str]) -> None:
    enough = len(came) + 100
    until(lambda: len(came), lambda count: count >= enough)


def events(system: dict[str, str], topic: Topic, run: str) -> set[str]:
    """The names of a run that a topic tells of; an event that is there twice has one id, and readers know it."""
    cluster = Cluster.of_environment(system, "tests")
    with OrderedReader(cluster, ends.offset_ranges(cluster, [topic])) as read:
        published = [CODEC.decode(message.value()) for message in read.next_batch(10**9)]
    names = [getattr(event, key, None) for event in published for key in ("order_id", "invoice_id", "customer_id")]
    return {name for name in names if name and name.startswith(run)}
