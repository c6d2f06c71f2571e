"""Counts by hour and day equal the rows they count, whatever happens to the rows; searches by them find every row."""

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import product
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine

from console import retention
from console.domain import STATUSES
from console.handler import handle
from console.queries import lookup, search
from console.queries.criteria import Filter, Range, RowPage
from console.queries.figures.spans import DAY, HOUR
from runtime.postgres.engine import engine
from stream.events import EventId, Micros, Outcome, OutcomeKind, QuarantinedWebhook, Record, ids, topics
from stream.replay import schema as place
from tests.actors import new_order
from tests.builders import NOON, a_payment, a_refund, a_scan

OUTCOMES: tuple[OutcomeKind, ...] = ("processed", "late", "duplicate", "waiting", "retrying", "dead")
SPANS = (HOUR, DAY)
COUNTED = """
SELECT span, start, provider, type, event_type, status, is_event, count FROM webhook_counts WHERE count <> 0
"""
THERE = """
SELECT span, (floor(received_at::numeric / span) * span)::bigint, coalesce(provider, 'unknown'),
       coalesce(type, 'UNKNOWN'), coalesce(event_type, ''), status,
       coalesce(kind, '') NOT IN ('unconfirmed', 'quarantine', 'unverified'), count(*)
  FROM webhooks CROSS JOIN unnest(%(spans)s::bigint[]) AS span WHERE received_at IS NOT NULL
 GROUP BY 1, 2, 3, 4, 5, 6, 7
"""


@pytest.fixture
def log_store(system: dict[str, str]) -> Iterator[Engine]:
    """An empty store of the console, which no console writes to."""
    url, schema = system["CONSOLE_DATABASE_URL"], new_order().lower()
    owner = engine(url, service="test")
    place.create(url, schema, "console", owner)
    store = place.schema_engine(url, schema, service="test")
    yield store
    store.dispose()
    place.drop(owner, schema)
    owner.dispose()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_counts_are_exact_after_redeliveries_rollbacks_and_the_clean_up(log_store: Engine, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - not a secret
    published = [record for n in range(120) for record in a_life(chance, n)]
    chance.shuffle(published)

    for batch in parts(chance, published + chance.sample(published, 60)):
        if chance.random() < 0.3:
            with suppress(Crash), log_store.begin() as tx:
                handle(tx, batch)
                raise Crash
        with log_store.begin() as tx:
            handle(tx, batch)
    assert counted(log_store) == there(log_store) != Counter()

    with log_store.begin() as tx:
        retention.forget(tx, before=NOON + 20 * HOUR)
    assert counted(log_store) == there(log_store) != Counter()


def test_counts_are_exact_when_consoles_share_the_work_and_a_rebuilt_store_has_the_same(log_store: Engine) -> None:
    chance = random.Random(4)  # noqa: S311 - not a secret
    published = [record for n in range(100) for record in a_life(chance, n)]
    with log_store.begin() as tx:
        handle(tx, published)
    before = counted(log_store)
    with log_store.begin() as tx:
        tx.exec_driver_sql("DELETE FROM webhooks")
        tx.exec_driver_sql("DELETE FROM outcomes")
    assert counted(log_store) == Counter()

    def work(seed: int) -> None:
        shares = parts(random.Random(seed), published[seed::2])  # noqa: S311
        for share in shares:
            with log_store.begin() as tx:
                handle(tx, share)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, (0, 1)))

    assert counted(log_store) == there(log_store) == before


def test_deleting_from_a_schema_by_its_name_changes_the_counts_of_that_schema(
    log_store: Engine, system: dict[str, str]
) -> None:
    chance = random.Random(6)  # noqa: S311 - not a secret
    with log_store.begin() as tx:
        handle(tx, [record for n in range(30) for record in a_life(chance, n)])
        schema = tx.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    assert counted(log_store) != Counter()

    elsewhere = engine(system["CONSOLE_DATABASE_URL"], service="test")
    with elsewhere.begin() as tx:
        tx.exec_driver_sql(f"DELETE FROM {schema}.webhooks")
    elsewhere.dispose()

    assert counted(log_store) == Counter()


def test_statistics_and_searches_find_what_a_walk_through_the_log_finds(log_store: Engine) -> None:
    chance = random.Random(5)  # noqa: S311 - not a secret
    published = [record for n in range(150) for record in a_life(chance, n)]
    with log_store.begin() as tx:
        handle(tx, published)
    with log_store.begin() as tx:
        log = lookup.rows(tx, f"SELECT {lookup.COLUMNS} FROM webhooks WHERE received_at IS NOT NULL", {})
        log.sort(key=lambda row: (row["received_at"], row["webhook_id"]), reverse=True)
        types = (None, "PAYMENT_COMPLETED", "UNKNOWN", "test", "NEVER")
        for kind, status, provider in product(types, (None, *STATUSES), (None, "toss", "nobody")):
            received = a_range(chance)
            wanted = Filter(provider=provider, status=status, type=kind, received=received)
            assert list(pages(tx, wanted, chance.choice((1, 7, 200)))) == [row for row in log if fits(row, wanted)]
            if kind is None and status is None:
                found = {(one.type, one.status): one.count for one in search.counted(tx, wanted)}
                assert found == Counter(
                    (row["type"] or "UNKNOWN", row["status"])
                    for row in log
                    if fits(row, wanted) and (is_event(row) or row["status"] != "PROCESSED")
                )


class Crash(Exception):
    """The transaction is rolled back."""


def a_life(chance: random.Random, n: int) -> list[Record]:
    """A webhook of any kind within three days, and what services said of it; some are never described."""
    at = NOON + n * 37 * 60_000_000 % (3 * DAY)
    provider = chance.choice(["generic", "toss", "stripe"])
    name = f"{chance.random()}"
    aside = QuarantinedWebhook(
        event_id=ids.event_id("aside", "test", name), provider=provider, mode="test", cause="unsupported", detail="",
        verification="signature", received_at=Micros(at), path="/", headers={}, raw=b"",
    )  # fmt: skip
    kinds: list[Record] = [
        a_payment("completed", name=name, provider=provider),
        a_payment("pending", name=name, provider=provider),
        a_refund(name=name, provider=provider),
        a_scan(name=name, provider=provider),
        aside,
    ]
    record: Any = chance.choice(kinds)
    if not isinstance(record, QuarantinedWebhook):
        unconfirmed = ids.event_id("receipt", "test", name) if chance.random() < 0.2 else None
        envelope = msgspec.structs.replace(record.envelope, received_at=at, verification_request_id=unconfirmed)
        record = msgspec.structs.replace(record, envelope=envelope)
    webhook_id = record.event_id if isinstance(record, QuarantinedWebhook) else record.envelope.event_id
    said = [an_outcome(chance, webhook_id, at, n) for n in range(chance.randrange(4))]
    return [*([record] if chance.random() < 0.9 else []), *said]


def an_outcome(chance: random.Random, webhook_id: str, at: int, n: int) -> Record:
    return Outcome(
        event_id=EventId(webhook_id), service=chance.choice(["payment", "refund"]), topic=topics.PAYMENT_WEBHOOKS.name,
        partition=0, offset=n, outcome=chance.choice(OUTCOMES), attempt=chance.randint(1, 3), error=None,
        at=Micros(at + n * 60_000_000),
    )  # fmt: skip


def parts(chance: random.Random, published: list[Record]) -> list[list[Record]]:
    cuts = sorted(chance.sample(range(1, len(published)), 12))
    return [published[first:last] for first, last in zip([0, *cuts], [*cuts, len(published)], strict=True)]


def counted(store: Engine) -> Counter[Any]:
    with store.begin() as tx:
        return Counter(tuple(row) for row in tx.exec_driver_sql(COUNTED))


def there(store: Engine) -> Counter[Any]:
    with store.begin() as tx:
        return Counter(tuple(row) for row in tx.exec_driver_sql(THERE, {"spans": list(SPANS)}))


def a_range(chance: random.Random) -> Range:
    start, end = sorted(NOON + chance.randrange(-DAY, 4 * DAY) for _ in range(2))
    return Range(chance.choice((None, start, start // HOUR * HOUR)), chance.choice((None, end, end // DAY * DAY + DAY)))


def pages(tx: Any, wanted: Filter, limit: int) -> Iterator[lookup.Row]:
    """The whole of a search, page by page."""
    after = None
    while True:
        found = search.webhooks(tx, wanted, RowPage(limit, after))
        yield from found[:limit]
        if len(found) <= limit:
            return
        after = (found[limit - 1]["received_at"], found[limit - 1]["webhook_id"])


def fits(row: lookup.Row, wanted: Filter) -> bool:
    start, end = wanted.received.start, wanted.received.end
    return (
        (start is None or row["received_at"] >= start)
        and (end is None or row["received_at"] < end)
        and wanted.provider in (None, row["provider"] or "unknown")
        and wanted.status in (None, row["status"])
        and wanted.type in (None, row["type"] or "UNKNOWN", row["event_type"])
    )


def is_event(row: lookup.Row) -> bool:
    return row["kind"] not in ("unconfirmed", "quarantine", "unverified")
