"""Every store is put back to a backup while its service runs: its rows come back, nobody is mailed or told again."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from stream.events import DomainEvent, PaymentUpdated, RefundUpdated, ShipmentUpdated, topics
from stream.kafka.cluster import Cluster
from stream.kafka.topic_reader import read_all
from tests import histories
from tests.actors import Inbox, new_order, until
from tests.dumps import dump, restore
from tests.integration.test_every_store_is_rebuilt import (
    KEY,
    LEFT_OUT,
    OF_THE_STREAM,
    TABLES,
    WRITTEN,
    know,
    live,
)
from tests.log import CODEC
from tests.rest import STORES, store, until_idle
from tests.systems import a_system

SIZE = 1200
CATCHES_UP_S = 120.0
MAILED_LATER = "SELECT count(*) AS n FROM notifications WHERE status = 'unknown'"
STATES = (PaymentUpdated, ShipmentUpdated, RefundUpdated)
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """One of its own: nothing but this history is in its stores."""
    with pytest.MonkeyPatch.context() as environment, ExitStack() as standing:
        environment.setenv("ALERT_INTERVAL", "1")
        yield standing.enter_context(a_system(tmp_path_factory.mktemp("system")))


@pytest.fixture(scope="module")
def backups(system: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Dumps of every store from the middle of a history; the history went on after them."""
    folder = tmp_path_factory.mktemp("backups")
    history = histories.of_all_providers(new_order()[2:], SIZE)
    know(system, history)
    early, later = history.phases
    live(system, [*early, *later[: len(later) // 2]])
    made = {service: dump(store(system, service), folder / f"{service}.sql") for service in STORES}
    live(system, later[len(later) // 2 :])
    until_idle(system)
    return made


@pytest.mark.parametrize("service", STORES)
def test_a_restored_store_has_all_its_rows_again_and_nobody_hears_of_it(
    service: str, system: dict[str, str], backups: dict[str, Path]
) -> None:
    inbox = Inbox(system["INBOX_URL"])
    before, mails, events = contents(system, service), mailed(inbox), published(system)

    restore(store(system, service), backups[service])

    until(lambda: differing(before, contents(system, service)), lambda rows: not rows, CATCHES_UP_S)
    until_idle(system)
    assert differing(before, contents(system, service)) == []
    assert published(system) == events
    assert mailed(inbox) == mails


def test_a_restored_notifier_lists_the_mails_it_cannot_tell_of(
    system: dict[str, str], backups: dict[str, Path]
) -> None:
    notifications, inbox = store(system, "notifier"), Inbox(system["INBOX_URL"])
    mails = mailed(inbox)

    for _ in range(2):  # restoring twice tells no more than once how far it had been
        restore(notifications, backups["notifier"])
        until(lambda: notifications.rows(MAILED_LATER)[0]["n"], bool, CATCHES_UP_S)

    until_idle(system)
    assert mailed(inbox) == mails


def contents(system: Mapping[str, str], service: str) -> dict[tuple[str, str], dict[str, Any]]:
    """All rows of a store by table and key, but for what says when they were written and how they were sent."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    out = WRITTEN + LEFT_OUT.get(service, [])
    for row in (database := store(system, service)).rows(TABLES, OF_THE_STREAM):
        table = row["name"]
        key = database.rows(KEY, table)[0]["columns"]
        query = f"SELECT concat_ws(' ', {key}) AS key, to_jsonb(r) - %s::text[] AS said FROM \"{table}\" AS r"
        found |= {(table, one["key"]): one["said"] for one in database.rows(query, out)}
    return found


def differing(before: Mapping[tuple[str, str], Any], after: Mapping[tuple[str, str], Any]) -> list[Any]:
    """The rows that are not as they were. What was mailed is not known any more; an alarm is not raised again."""
    return [
        (key, was, after.get(key))
        for key in sorted(before.keys() | after.keys())
        if (was := before.get(key)) != after.get(key) and not _is_of_mailing(key[0], was, after.get(key))
    ][:5]


def _is_of_mailing(table: str, was: Any, now: Any) -> bool:
    if table == "operator_alerts" or "OperatorAlerts" in (
        row["event_type"] for row in (was, now) if row and "event_type" in row
    ):
        return True
    if table != "notifications" or not (was and now):
        return False
    return now["status"] == "unknown" or _are_of_one_dispute(was["event"], now["event"])


def _are_of_one_dispute(was: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """One mail tells of a dispute's status, whichever event comes first: that before its order is known, or after."""
    return "dispute_id" in was and all(was[name] == now.get(name) for name in ("dispute_id", "status"))


def mailed(inbox: Inbox) -> dict[str, int]:
    """How many mails each customer and seller has; the operator is told of what nobody can tell of."""
    found: dict[str, int] = {}
    for message in inbox._messages():  # noqa: SLF001 - a test's own
        for recipient in message["recipients_envelope"]:
            if "operator" not in recipient:
                found[recipient] = found.get(recipient, 0) + 1
    return found


def published(system: Mapping[str, str]) -> set[str]:
    """The ids of all domain events on the topics, but for those that only carry a state (ADR 27).

    Those depend on the order in which two topics are read, since a state on the way to the last one may differ.
    """
    domain = (topics.PAYMENTS, topics.SHIPMENTS, topics.REFUNDS, topics.SUBSCRIPTIONS, topics.INVOICES)
    messages = read_all(Cluster(system["KAFKA_BOOTSTRAP_SERVERS"], "tests"), domain)
    events = [CODEC.decode(message.value()) for message in messages]
    return {event.event_id for event in events if isinstance(event, DomainEvent) and not isinstance(event, STATES)}
