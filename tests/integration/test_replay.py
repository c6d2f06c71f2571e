"""A store rebuilt from the topics equals the live one, and nobody hears of it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from threading import Event, Thread

import fastavro
import msgspec
import pytest

from stream.avro.registry import CommittedRegistry, Entry
from stream.events import DomainEvent, PaymentWebhook, Record, topics
from stream.events.topics import Topic
from stream.kafka.cluster import Cluster
from stream.replay import offsets as ends
from stream.replay import schema as place
from stream.replay.fill.ordered_reader import OrderedReader
from tests import failing
from tests.actors import Inbox, Shop, Store, new_order, until
from tests.builders import a_payment, an_approval, an_order
from tests.log import CODEC, Writer, reading, writer
from tests.log import append as append_to
from tests.replays import a_history, append, ask, refusal, start, until_handled

pytestmark = pytest.mark.long

ORDERS = 400
ROWS = """
SELECT '{table}' AS of, to_jsonb(r) - '{{created_at,updated_at,waiting_since,outcome}}'::text[] AS said
  FROM {schema}.{table} AS r WHERE {column} LIKE %s ORDER BY 2
"""
TABLES = (
    ("payments", "order_id"),
    ("orders", "order_id"),
    ("transactions", "order_id"),
    ("payment_history", "order_id"),
    ("aliases", "alias"),
)


@pytest.fixture(scope="module")
def log(system: dict[str, str]) -> Writer:
    return writer(system)


def test_a_replayed_store_equals_the_live_one_row_by_row_and_mails_nobody(
    system: dict[str, str], payments: Store, inbox: Inbox, log: Writer
) -> None:
    run = new_order().lower()
    happened(system, log, run)

    with reading(system, topics.PAYMENTS) as published, reading(system, topics.NOTIFICATIONS) as mailed:
        ask(system, "payment", "replay", "--into", "r_equal")

        assert rows(payments, "r_equal", run) == rows(payments, "public", run)
        assert (published.read(), mailed.read()) == ([], [])
    assert owed(system, "r_equal", run) == []


def happened(system: dict[str, str], log: Writer, run: str) -> None:
    """A history that the live service has handled."""
    for act in a_history(run, ORDERS):
        append(log, act)
        until_handled(system, "payment")


def owed(system: dict[str, str], schema: str, run: str) -> list[str]:
    """The domain events of a run's orders that nobody was told."""
    said = ask(system, "payment", "replay", "diff", schema, "--limit", "1000000").splitlines()
    return [line for line in said if line.startswith("owed:") and run in line]


def rows(store: Store, schema: str, run: str) -> list[object]:
    """All rows of a run's orders, but for when they were written."""
    found: list[object] = []
    for table, column in TABLES:
        found += store.rows(ROWS.format(table=table, schema=schema, column=column), f"%{run}%")
    assert found
    return found


@pytest.mark.parametrize("processes", [1, 3])
def test_a_replay_that_is_killed_ten_times_ends_the_same(
    system: dict[str, str], payments: Store, log: Writer, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, schema = new_order().lower(), f"r_killed_{processes}"
    happened(system, log, run)
    monkeypatch.setenv("REPLAY_PROCESSES", str(processes))
    monkeypatch.setenv("REPLAY_BATCH_SIZE", "100")

    for attempt in range(10):
        process = start(system, "payment", "replay", "--into", schema)
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=1.0 + attempt / 5)
        process.kill()
        process.communicate()  # returns once the processes it had started have ended too: they hold its output open
    ask(system, "payment", "replay", "--into", schema)

    assert rows(payments, schema, run) == rows(payments, "public", run)
    assert owed(system, schema, run) == []


def test_what_was_promoted_under_load_lost_nothing_and_is_put_back_the_same(
    system: dict[str, str], payments: Store, shop: Shop, log: Writer
) -> None:
    run = new_order().lower()
    happened(system, log, run)
    ask(system, "payment", "replay", "--into", "r_promoted")
    assert "was not reviewed" in refusal(system, "payment", "replay", "promote", "r_promoted")

    with paying(shop, f"{run}-load") as posted:
        ask(system, "payment", "replay", "diff", "r_promoted")
        ask(system, "payment", "replay", "promote", "r_promoted")
        more(posted)
        ask(system, "payment", "replay", "rollback")
        more(posted)

    until_handled(system, "payment")
    found = payments.rows("SELECT order_id, version FROM payments WHERE order_id LIKE %s", f"{run}-load%")
    assert sorted(row["order_id"] for row in found) == sorted(posted)
    assert {row["version"] for row in found} == {1}
    assert payments.rows("SELECT 1 FROM outbox") == []
    published = events(system, topics.PAYMENTS, f"{run}-load")
    assert set(published) == set(
        posted
    )  # a domain event may stand there twice under one id: whoever reads it knows that


def more(posted: list[str]) -> None:
    """Wait until fifty more have been posted."""
    enough = len(posted) + 50
    until(lambda: len(posted), lambda count: count >= enough)


@contextmanager
def paying(shop: Shop, run: str) -> Iterator[list[str]]:
    """Payments come in all the while, each of an order of its own."""
    posted: list[str] = []
    stop = Event()

    def pay() -> None:
        while not stop.is_set():
            order = f"{run}-{len(posted)}"
            body = {"orderId": order, "status": "completed", "amount": 1000}
            if shop.post("payment", body).status == 200:
                posted.append(order)

    thread = Thread(target=pay)
    thread.start()
    try:
        yield posted
    finally:
        stop.set()
        thread.join()


def events(system: dict[str, str], topic: Topic, run: str) -> list[str]:
    """The orders of a run that a topic tells of, each as often as it does."""
    cluster = Cluster.of_environment(system, "tests")
    found = ends.offset_ranges(cluster, [topic])
    with OrderedReader(cluster, found) as read:
        published = [CODEC.decode(message.value()) for message in read.next_batch(10**9)]
    return [
        order
        for event in published
        if isinstance(event, DomainEvent) and (order := event.order_id or "").startswith(run)
    ]


def test_records_of_every_version_ever_written_are_replayed(
    system: dict[str, str], payments: Store, log: Writer
) -> None:
    run = new_order().lower()
    versions = [
        entry for entry in CommittedRegistry().entries if entry["subject"] in ("PaymentWebhook", "OrderWebhook")
    ]
    for entry in versions:
        order = f"{run}-{entry['subject']}-{entry['version']}".lower()
        record = a_payment(order=order) if entry["subject"] == "PaymentWebhook" else an_order(order=order, amount=1)
        topic = topics.PAYMENT_WEBHOOKS if isinstance(record, PaymentWebhook) else topics.ORDERS
        log.producer.produce(topic.name, as_written_then(entry, record), order.encode())
    assert log.producer.flush(10) == 0
    until_handled(system, "payment")

    ask(system, "payment", "replay", "--into", "r_versions")

    assert rows(payments, "r_versions", run) == rows(payments, "public", run)
    published = "SELECT order_id FROM r_versions.orders WHERE order_id LIKE %s"
    assert len(payments.rows(published, f"{run}%")) == len(versions)


def as_written_then(entry: Entry, record: Record) -> bytes:
    """A record in the bytes of a former version of its schema."""
    out = BytesIO(b"\x00" + entry["id"].to_bytes(4, "big"))
    out.seek(5)
    fields = msgspec.to_builtins(record, builtin_types=(bytes,))
    fastavro.schemaless_writer(out, fastavro.parse_schema(entry["schema"]), fields)
    return out.getvalue()


def test_what_is_being_filled_or_promoted_is_not_dropped(system: dict[str, str], payments: Store) -> None:
    """A schema that gets another name while its drop waits for it would be dropped under that name: as the live one."""
    ask(system, "payment", "replay", "--into", "r_held")
    owner = failing.engine(system)
    with owner.connect() as lock:
        place.lock(lock, "r_held")
        assert "another replay is at work in r_held" in refusal(system, "payment", "replay", "drop", "r_held")
    owner.dispose()

    ask(system, "payment", "replay", "drop", "r_held")
    assert payments.rows("SELECT 1 FROM pg_namespace WHERE nspname = 'r_held'") == []


def test_a_schema_of_somebody_else_s_is_not_replayed_into_compared_or_promoted(system: dict[str, str]) -> None:
    """It would be dropped with the replay."""
    with failing.engine(system).begin() as tx:
        tx.exec_driver_sql("CREATE SCHEMA theirs; CREATE TABLE theirs.precious (name text)")

    for words in (("--into", "theirs"), ("diff", "theirs"), ("promote", "theirs")):
        assert "was not made by a replay" in refusal(system, "payment", "replay", *words)


def test_records_that_nobody_can_decode_on_the_service_s_own_topic_tell_no_domain_event(system: dict[str, str]) -> None:
    unnamed = msgspec.structs.replace(an_approval(new_order()), event_id="no id")
    for record in (b"no record", b"\x00\x00\x00\xff\xffof an unknown schema", unnamed):
        append_to(system, topics.PAYMENTS, "1", record)

    ask(system, "payment", "replay", "--into", "r_undecodable")
