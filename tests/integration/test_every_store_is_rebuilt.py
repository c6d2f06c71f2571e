"""The history of all providers, lived through once, and every service's store made again from the topics alone.

`HISTORY=100000 python -m pytest -m long -s tests/integration/test_every_store_is_rebuilt.py` does it with so many
webhooks, and shows how long each replay took and how much memory its process needed at most.
"""

import os
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli.clients.offsets import Kafka
from confirmer.replay_hooks import IGNORED_COLUMNS
from stream.events import topics
from stream.kafka.cluster import Cluster
from stream.kafka.position import Partition
from tests import failing, histories
from tests.actors import Inbox, new_order
from tests.failing import hookstream, refusing
from tests.histories import History
from tests.log import append as put
from tests.log import writer
from tests.replays import TopicRecord, append, ask, start
from tests.rest import STORES, store, until_idle
from tests.systems import a_system

SIZE = int(os.environ.get("HISTORY", "3000"))
pytestmark = [pytest.mark.long, pytest.mark.timeout(300 + SIZE // 20)]

REFUSED = (
    ("payment", "payments", "order_id", "generic", "{}"),
    ("shipping", "shipments", "order_id", "easypost", "{}"),
    ("refund", "refunds", "order_id", "generic", "{}"),
    ("subscription", "orders", "user_id", "tosspayments", "{}"),
    ("invoice", "invoices", "invoice_id", "tapayz", "INV-{}"),
    ("confirmer", "verification_requests", "alias", "toss", "pk_{}"),
    ("notifier", "notifications", "order_id", "stripe", "{}"),
    ("console", "webhooks", "order_id", "naverpay", "{}"),
)
"""Which rows each store refuses: those of one life of a provider."""
UNDECODABLE = (
    topics.PAYMENT_WEBHOOKS,
    topics.SHIPPING_WEBHOOKS,
    topics.REFUND_WEBHOOKS,
    topics.INVOICE_WEBHOOKS,
    topics.UNCONFIRMED,
    topics.ORDERS,
    topics.PAYMENTS,
)
"""Between them read by all."""

PASSED, GIVEN_UP = 11, 12
"""Of each such provider, the life whose webhooks are refused at first, and the one whose webhooks stay refused."""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """One of its own: nothing but this history is in its stores."""
    with pytest.MonkeyPatch.context() as environment, ExitStack() as standing:
        environment.setenv("ALERT_INTERVAL", "1")
        yield standing.enter_context(a_system(tmp_path_factory.mktemp("system")))


@pytest.fixture(scope="module")
def lived(system: dict[str, str]) -> list[str]:
    """A history that every service has been through; the names of those whose webhooks were given up."""
    run = new_order()[2:]
    history = histories.of_all_providers(run, SIZE)
    know(system, history)
    passed, ended = names(run, PASSED), names(run, GIVEN_UP)
    for act in history.phases:
        live(system, [published for published in act if not names_any(published, [*passed, *ended])])
    with refused(system, passed):
        live(system, [published for published in history.phases[-1] if names_any(published, passed)])
    redrive(system)
    with refused(system, ended):
        live(system, [published for published in history.phases[-1] if names_any(published, ended)])
    for topic in UNDECODABLE:
        put(system, topic, run, b"no record of ours")
    until_idle(system)
    return ended


def know(system: dict[str, str], history: History) -> None:
    """Let the providers' APIs know what they told us."""
    for body in history.api_records:
        request = urllib.request.Request(f"{system['APIS_URL']}/simulator/payments", body)
        urllib.request.urlopen(request, timeout=10).close()


def names(run: str, number: int) -> list[str]:
    """The orders whose webhooks are refused, one of each provider."""
    return [histories.name(run, provider, number) for *_, provider, _ in REFUSED]


def names_any(published: TopicRecord, orders: Sequence[str]) -> bool:
    said = repr(published[2])
    return any(f"{order}'" in said or f"{order}-" in said for order in orders)


def live(system: dict[str, str], act: Sequence[TopicRecord]) -> None:
    append(writer(system), act)
    until_idle(system)


@contextmanager
def refused(system: dict[str, str], refused_names: Sequence[str]) -> Iterator[None]:
    with ExitStack() as stores:
        for (service, table, column, _, form), name in zip(REFUSED, refused_names, strict=True):
            owner = failing.engine(system, service)
            stores.enter_context(refusing(owner, form.format(name), table=table, column=column))
        yield
        for service, *_ in REFUSED:
            assert store(system, service).rows(DEAD), f"{service} has refused nothing"


DEAD = "SELECT event_id::text FROM retries WHERE status = 'dead' AND error LIKE 'CheckViolation%%'"


def redrive(system: dict[str, str]) -> None:
    done = hookstream(system, "dead", "redrive", "--cause", "CheckViolation", "--yes")
    assert done.returncode == 0, done.stderr
    until_idle(system)
    assert [store(system, service).rows(DEAD) for service in STORES] == [[]] * len(STORES)


@pytest.mark.parametrize("service", STORES)
def test_a_store_made_again_from_the_topics_equals_the_live_one_and_nobody_hears_of_it(
    system: dict[str, str], lived: list[str], service: str
) -> None:
    inbox = Inbox(system["INBOX_URL"])
    mails, records = inbox.count(), ends(system)
    assert mails > 0

    replay(system, service, "r_all")
    shown = ask(system, service, "replay", "diff", "r_all", "--limit", "100")

    ended = {row["event_id"] for row in store(system, service).rows(DEAD)}
    rescued = {line.split(": ")[1].split()[0] for line in shown.splitlines() if line.startswith("dead in live")}
    assert rescued == ended
    assert differing(system, service, but=lived) == []
    assert (inbox.count(), ends(system)) == (mails, records)


def ends(system: dict[str, str]) -> dict[Partition, int]:
    return Kafka(Cluster.of_environment(system, "tests")).end_offsets()


def replay(system: dict[str, str], service: str, name: str) -> None:
    """Do it, and show what it took."""
    began, peak = time.monotonic(), 0.0
    process = start(system, service, "replay", "--into", name)
    while process.poll() is None:
        status = Path(f"/proc/{process.pid}/status").read_text()
        peak = max(peak, float(status.partition("VmHWM:")[2].split()[0]) / 1000 if "VmHWM" in status else 0.0)
        time.sleep(0.1)
    assert process.returncode == 0, process.communicate()[1]
    handled = store(system, service).rows(f"SELECT sum(next_offset) AS n FROM {name}.replay_progress")[0]["n"]
    print(f"\n{service}: {handled:,} records in {time.monotonic() - began:.1f} s, at most {peak:.0f} MB")  # noqa: T201


WRITTEN = ["created_at", "updated_at", "waiting_since", "outcome"]
SENDING = "attempts next_attempt_at sending_since error sent_at raised_at mailed_at title message link".split()
LEFT_OUT = {"notifier": SENDING, "confirmer": sorted(IGNORED_COLUMNS)}
"""What the sending and the asking left in a row, which no topic tells; and words in the language known by then."""
UNSENT = ["waiting", "stale", "queued", "no_recipient", "failed"]
"""Of these mails no topic tells that they were sent; a rebuilt notifier knows no more than that."""
TABLES = "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL (%s)"
OF_THE_STREAM = [
    "alembic_version",
    "ownership",
    "inbox",
    "outbox",
    "retries",
    "turns",
    "replay",
    "replay_progress",
    "replay_published",
    "replay_owed",
    "replay_aliases",
    "webhook_count_changes",
    "webhook_counts",
    "daily_amounts",
    "search_terms",
]
"""Counts, amounts and terms follow from `webhooks`, which is compared, and include what the replay rescued unnamed."""
KEY = """
SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS columns
  FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
 WHERE indrelid = format('public.%%I', %s::text)::regclass AND indisprimary
"""
SAID = """
SELECT {key}, CASE WHEN row ->> 'status' = ANY (%s) THEN row || '{{"status": "unknown"}}' ELSE row END AS said
  FROM {schema}."{table}" AS r, LATERAL (SELECT to_jsonb(r) - %s::text[] AS row) AS as_json
 WHERE row ->> 'event_type' IS DISTINCT FROM 'OperatorAlerts'
"""
DIFFERING = """
SELECT '{table}' AS table, live.said AS live, made.said AS made
  FROM ({live}) AS live FULL JOIN ({made}) AS made USING ({key})
 WHERE live.said IS DISTINCT FROM made.said AND NOT concat(live.said, made.said) LIKE ANY (%s) LIMIT 5
"""


def differing(system: dict[str, str], service: str, *, but: Sequence[str]) -> list[dict[str, Any]]:
    """Rows that differ, of all tables but for those that tell of these names."""
    found: list[dict[str, Any]] = []
    out, unsent = WRITTEN + LEFT_OUT.get(service, []), UNSENT if service == "notifier" else []
    for row in (database := store(system, service)).rows(TABLES, OF_THE_STREAM):
        key = database.rows(KEY, row["name"])[0]["columns"]
        live, made = (SAID.format(key=key, schema=one, table=row["name"]) for one in ("public", "r_all"))
        query = DIFFERING.format(table=row["name"], live=live, made=made, key=key)
        found += database.rows(query, unsent, out, unsent, out, [f"%{name}%" for name in but])
    return [changed(row) for row in found if not is_one_mail_of_a_dispute(row)]


def changed(row: dict[str, Any]) -> dict[str, Any]:
    """The table, and of each column that differs both values."""
    live, made = row["live"] or {}, row["made"] or {}
    pairs = {name: (live.get(name), made.get(name)) for name in {*live, *made}}
    return {"table": row["table"], **{name: pair for name, pair in pairs.items() if pair[0] != pair[1]}}


def is_one_mail_of_a_dispute(row: dict[str, Any]) -> bool:
    """Whether both sides are the operator's one mail of a dispute, made from different domain events.

    A dispute is reported before its order is known and again afterwards, on two partitions. The operator is mailed of
    whichever event is read first.
    """
    live, made = row["live"], row["made"]
    if not live or not made or not str(live.get("event_type")).startswith("Dispute") or live["audience"] != "operator":
        return False
    orders = {live["order_id"], made["order_id"]}
    same = {name for name in live if live[name] == made[name]}
    return None in orders and len(orders) == 2 and live.keys() - same <= {"order_id", "event", "event_id"}
