"""Issues in the console's store are those of the outcomes, in whatever order and batches these are read."""

import random
from collections import Counter

import pytest
from sqlalchemy import Engine

from console import retention
from console.handler import handle
from console.pages.operations import own_failures
from console.queries import issues
from stream.events import ConsoleAction, EventId, Micros, Outcome, OutcomeKind, Record, ids
from tests.builders import NOON, a_payment
from tests.integration.test_console_counts import log_store

__all__ = ["log_store"]
ROWS = """
SELECT service, cause, line, event_id::text, died_at, is_dead FROM issues JOIN issue_events USING (issue_id)
"""
DEAD = """
INSERT INTO retries (event_id, topic, partition, "offset", status, attempts, error, next_attempt_at)
VALUES (%(id)s::uuid, 'orders.v1', 0, 1, 'dead', 1, 'Undecodable: no', now())
"""
ENDS: tuple[tuple[OutcomeKind, ...], ...] = (
    ("processed",),
    ("dead",),
    ("dead", "retrying", "processed"),
    ("dead", "retrying", "dead"),
    ("dead", "dismissed"),
    ("retrying", "dead", "duplicate"),
)


def a_life(number: int, end: tuple[OutcomeKind, ...]) -> list[Record]:
    """A payment and its outcomes in one service."""
    payment = a_payment(order=f"I-{number}", name=f"i{number}")
    outcomes = [
        an_outcome(payment.envelope.event_id, kind, NOON + number * 100 + turn, f"ValueError: {number} of {turn % 2}")
        for turn, kind in enumerate(end)
    ]
    return [payment, *outcomes]


def an_outcome(event_id: str, kind: OutcomeKind, at: int, error: str = "ValueError: no") -> Outcome:
    return Outcome(
        event_id=EventId(event_id),
        service="payment",
        topic="webhooks.payment.v1",
        partition=0,
        offset=1,
        outcome=kind,
        attempt=1,
        error=error if kind in ("dead", "retrying") else None,
        at=Micros(at),
    )


def test_a_dead_event_of_the_console_counts_unless_another_service_reports_it(log_store: Engine) -> None:
    """As a record that cannot be decoded, which is dead in each service under the same id."""
    elsewhere, dismissed, redriven, own = (ids.unreadable_record_id("orders.v1", 0, offset) for offset in range(4))
    with log_store.begin() as tx:
        for event_id in (elsewhere, dismissed, redriven, own):
            tx.exec_driver_sql(DEAD, {"id": event_id})
        assert own_failures.unreported(tx) == 4

        reported: dict[str, list[OutcomeKind]] = {
            elsewhere: ["dead"],
            dismissed: ["dead", "dismissed"],
            redriven: ["dead", "processed"],
        }
        handle(
            tx, [an_outcome(event, kind, NOON + at) for event in reported for at, kind in enumerate(reported[event])]
        )

        assert own_failures.unreported(tx) == 2
        same = own_failures.same_records(tx, [elsewhere, dismissed, redriven, own])
        assert {event: [row["service"] for row in found] for event, found in same.items()} == {elsewhere: ["payment"]}


def an_action(name: str, issue: str, at: int) -> list[ConsoleAction]:
    return [
        ConsoleAction(
            action_id=ids.action_id("kim", name, issue, at),
            at=Micros(at),
            user="kim",
            role="operator",
            action=name,
            target=issue,
            parameters={},
            result=result,
            detail=None,
        )
        for result in ("requested", "done")
    ]


def applied(store: Engine, records: list[Record], chance: random.Random) -> Counter[tuple[object, ...]]:
    chance.shuffle(records)
    while records:
        size = chance.randint(1, 7)
        batch, records = records[:size], records[size:]
        with store.begin() as tx:
            handle(tx, batch)
    with store.connect() as tx:
        return Counter(tuple(row) for row in tx.exec_driver_sql(ROWS))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_outcomes_makes_no_difference(log_store: Engine, seed: int) -> None:
    lives = [record for number in range(24) for record in a_life(number, ENDS[number % len(ENDS)])]
    chance = random.Random(seed)  # noqa: S311 - not a secret

    found = applied(log_store, [*lives, *lives[:30]], chance)

    assert {row[:3] for row in found} == {("payment", "ValueError", "… of …")}
    assert len(found) == 20  # the events of five of the six ends have died
    assert sum(bool(row[5]) for row in found) == 12
    with log_store.begin() as tx:
        retention.forget(tx, before=NOON + 10**9)
    with log_store.connect() as tx:
        assert all(not issue["dead"] for issue in issues.select(tx))


def test_an_issue_is_acknowledged_resolved_and_opened_again(log_store: Engine) -> None:
    first, second = a_life(1, ("dead",)), a_life(2, ("dead",))

    def state(*records: Record) -> tuple[str, str]:
        with log_store.begin() as tx:
            handle(tx, list(records))
        with log_store.connect() as tx:
            (issue,) = issues.select(tx)
            return issue["issueId"], issue["state"]

    issue, opened = state(*first)
    states = [
        opened,
        state(*an_action(issues.ACKNOWLEDGE, issue, NOON + 120))[1],
        state(*an_action(issues.RESOLVE, issue, NOON + 130))[1],
        state(*second)[1],
        state(*(an_outcome(r.envelope.event_id, "processed", NOON + 999) for r in (first[0], second[0])))[1],  # type: ignore[attr-defined]
    ]

    assert states == ["open", "acknowledged", "resolved", "open", "resolved"]


def test_a_redrive_does_not_move_when_an_issue_was_first_seen(log_store: Engine) -> None:
    life = a_life(1, ("dead",))
    again = an_outcome(life[0].envelope.event_id, "dead", NOON + 10**9, "ValueError: 1 of 0")  # type: ignore[attr-defined]

    for records in (life, [again]):
        with log_store.begin() as tx:
            handle(tx, records)

    with log_store.connect() as tx:
        (issue,) = issues.select(tx)
    assert (issue["firstAt"], issue["lastAt"], issue["dead"]) == (NOON + 100, NOON + 10**9, 1)
