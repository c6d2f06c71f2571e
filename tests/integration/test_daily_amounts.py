"""Amounts by day and provider equal those of the events, in whatever order, batches and consoles these are read."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from sqlalchemy import Engine

from console.handler import handle
from console.queries.criteria import Filter, Range
from console.queries.figures import daily
from console.queries.figures.spans import DAY
from stream.events import PaymentCompleted, Record, RefundCompleted
from tests.builders import NOON, a_domain_event, a_refund
from tests.integration.test_console_counts import log_store

__all__ = ["log_store"]


def a_paid_and_refunded_order(number: int) -> list[Record]:
    """A payment's event, and a refund's, which does not name its provider, with its webhook."""
    refund = a_refund(order=f"A-{number}", name=f"a{number}")
    paid = a_domain_event(
        PaymentCompleted, provider="toss", amount=100 + number, currency="KRW", method="card",
        transaction_id=None, paid_at=None, order=f"A-{number}",
    )  # fmt: skip
    refunded = a_domain_event(
        RefundCompleted, refund_id=f"R-{number}", amount=1 + number, currency="KRW", reason=None,
        caused_by=refund.envelope.event_id, order=f"A-{number}",
    )  # fmt: skip
    received_at = NOON + number % 3 * DAY
    return [
        msgspec.structs.replace(paid, received_at=received_at),
        refund,
        msgspec.structs.replace(refunded, received_at=received_at),
    ]


def amounts(store: Engine) -> Counter[tuple[int, str, str]]:
    """The amounts that the page of statistics shows, by day, provider and kind."""
    with store.connect() as tx:
        days = daily.select(tx, Filter(received=Range(NOON - 9 * DAY, NOON + 9 * DAY)), NOON)
    return Counter(
        {(day.day, day.provider, kind): sums["KRW"] for day in days for kind, sums in day.money.items() if sums}
    )


def wanted(numbers: range) -> Counter[tuple[int, str, str]]:
    found = Counter[tuple[int, str, str]]()
    for number in numbers:
        day = (NOON + number % 3 * DAY) // DAY * DAY
        found[day, "toss", "paid"] += 100 + number
        found[day, "generic", "refundsCompleted"] += 1 + number
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_refund_counts_for_its_provider_whenever_its_webhook_is_read(log_store: Engine, seed: int) -> None:
    chance, numbers = random.Random(seed), range(40)  # noqa: S311 - not a secret
    records = [record for number in numbers for record in a_paid_and_refunded_order(number)]
    chance.shuffle(records)

    while records:
        size = chance.randint(1, 20)
        batch, records = records[:size], records[size:]
        with log_store.begin() as tx:
            handle(tx, batch)

    assert amounts(log_store) == wanted(numbers)


def test_a_refund_counts_for_its_provider_if_two_consoles_read_it_and_its_webhook_at_once(log_store: Engine) -> None:
    numbers = range(30)
    lives = [a_paid_and_refunded_order(number) for number in numbers]

    def read(batch: list[Record]) -> None:
        with log_store.begin() as tx:
            handle(tx, batch)

    with ThreadPoolExecutor(2) as consoles:
        for paid, refund, refunded in lives:
            list(consoles.map(read, ([paid, refunded], [refund])))

    assert amounts(log_store) == wanted(numbers)


def test_an_event_whose_cause_is_no_webhook_adds_none_to_the_log(log_store: Engine) -> None:
    paid, _, refunded = a_paid_and_refunded_order(1)

    with log_store.begin() as tx:
        handle(tx, [paid, refunded])

    with log_store.connect() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM webhooks").scalar_one() == 0
