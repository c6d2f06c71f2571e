"""The auditor finds each kind of loss and doubling, names it by its claim, and finds none where all is well."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from auditor import store_claims
from auditor.audit import judge
from auditor.evidence import Accepted, AuditEvidence, Period, Store
from auditor.models.by_service import models
from auditor.record_claims import Trace
from stream.events import DomainEvent, NotificationSent, Outcome, topics
from stream.kafka.position import Position
from tests.builders import a_payment
from tests.unit.auditor.whole import COMPLETE, DELIVERED, GIVEN_BACK, PAID, event_id, whole

Damage = Callable[[AuditEvidence], AuditEvidence]


def broken(evidence: AuditEvidence) -> set[str]:
    return {claim.name for claim in judge(evidence) if claim.wrong}


def under_way(evidence: AuditEvidence) -> set[str]:
    return {claim.name for claim in judge(evidence) if claim.unfinished}


def in_store(service: str, change: Callable[[Store], Store]) -> Damage:
    return lambda whole: replace(whole, stores={**whole.stores, service: change(whole.stores[service])})


def in_table(service: str, table: str, change: Callable[[dict[str, dict[str, object]]], object]) -> Damage:
    def damaged(store: Store) -> Store:
        rows = {key: dict(row) for key, row in store.tables[table].items()}
        change(rows)
        return replace(store, tables={**store.tables, table: rows})

    return in_store(service, damaged)


def without_records(which: Callable[[object], bool]) -> Damage:
    return lambda whole: replace(
        whole, entries=tuple(entry for entry in whole.entries if not which(entry.delivery.event))
    )


def forgotten(service: str, name: str) -> Damage:
    def forget(store: Store) -> Store:
        return replace(store, handled={one: row for one, row in store.handled.items() if one != name})

    return in_store(service, forget)


def set_in(field: str, value: object) -> Callable[[dict[str, dict[str, object]]], object]:
    return lambda rows: [row.update({field: value}) for row in rows.values()]


FIRST_MAIL = next(iter(whole().mails or ()))

DAMAGES: dict[str, tuple[Damage, set[str]]] = {
    "a webhook that was answered 2xx has no record": (
        lambda whole: replace(whole, accepted=(*(whole.accepted or ()), Accepted("/webhooks/payment", "ff"))),
        {"LOST"},
    ),
    "a record that was passed over": (forgotten("console", event_id(PAID)), {"VANISHED"}),
    "a record that was passed over and should have changed a row": (
        forgotten("shipping", event_id(DELIVERED)),
        {"VANISHED", "STATE"},
    ),
    "an outcome nobody registers": (
        without_records(lambda one: isinstance(one, Outcome) and one.event_id == event_id(DELIVERED)),
        {"OUTCOME", "DUPROW"},
    ),
    "an event remembered of a record that is not there": (
        in_store("refund", lambda store: replace(store, handled={**store.handled, "x": (Position("t", 0, 9), "late")})),
        {"DUPROW"},
    ),
    "a webhook applied twice": (in_table("payment", "payments", set_in("version", 2)), {"STATE"}),
    "another status": (in_table("shipping", "shipments", set_in("status", "preparing")), {"STATE", "ORDERVIEW"}),
    "an order that shows what is not so": (
        in_table("order", "orders", set_in("payment_status", "failed")),
        {"STATE", "ORDERVIEW"},
    ),
    "a row too many": (
        in_table("refund", "refunds", lambda rows: rows.update({"x y": rows["1 R-1"]})),
        {"STATE", "MONEY"},
    ),
    "a row too few": (in_table("invoice", "invoices", lambda rows: rows.clear()), {"STATE"}),
    "a line of history that is missing": (in_table("refund", "history", lambda rows: rows.clear()), {"STATE"}),
    "a credit entered twice": (
        in_table("invoice", "credits", lambda rows: rows.update(I2={**rows["I-1"], "entry_id": "x"})),
        {"STATE", "MONEY"},
    ),
    "another amount": (
        in_table("payment", "payments", set_in("amount", 1)),
        {"STATE", "MONEY", "AGREEMENT", "ORDERVIEW"},
    ),
    "a refund of more than was paid": (
        in_table("refund", "refunds", set_in("amount", 58001)),
        {"STATE", "MONEY", "AGREEMENT"},
    ),
    "a refund that the payment should tell of and does not": (
        in_table("refund", "refunds", set_in("registers", {"reported_by_payment": [[2, 0, 1, ""], True]})),
        {"STATE", "AGREEMENT"},
    ),
    "a event that is true and was not published": (
        without_records(lambda one: isinstance(one, DomainEvent) and one.caused_by == event_id(GIVEN_BACK)),
        {"EVENTS", "MESSAGES", "DUPROW", "STATE"},
    ),
    "a event from nowhere": (
        without_records(lambda one: one is DELIVERED),
        {"EVENTS", "DUPROW", "STATE"},
    ),
    "a message nobody queued": (
        in_table("notifier", "notifications", lambda rows: rows.pop(FIRST_MAIL)),
        {"MESSAGES"},
    ),
    "a message that follows from nothing": (
        in_table("notifier", "notifications", lambda rows: rows.update(x={**rows[FIRST_MAIL], "status": "unknown"})),
        {"MESSAGES"},
    ),
    "a mail that came twice": (
        lambda whole: replace(whole, mails=Counter({**(whole.mails or {}), FIRST_MAIL: 2})),
        {"DUPMAIL"},
    ),
    "a mail that did not arrive": (
        lambda whole: replace(whole, mails=(whole.mails or Counter()) - Counter([FIRST_MAIL])),
        {"MISSMAIL"},
    ),
    "a mail that came although it counts as refused": (
        in_table("notifier", "notifications", set_in("status", "failed")),
        {"DUPMAIL"},
    ),
    "a mail that was sent and not told of": (
        without_records(lambda one: isinstance(one, NotificationSent) and one.notification_id == FIRST_MAIL),
        {"MISSMAIL", "DUPROW"},
    ),
}


def test_where_all_is_well_every_claim_holds_and_has_looked_at_something() -> None:
    claims = judge(whole())

    assert {claim.name: (claim.wrong, claim.unfinished) for claim in claims if claim.wrong or claim.unfinished} == {}
    assert {claim.name for claim in claims if not claim.checked} == {"CONFIRMED"}  # nothing was asked


@pytest.mark.parametrize("name", DAMAGES)
def test_what_is_wrong_is_found_by_its_claim(name: str) -> None:
    damage, claims = DAMAGES[name]

    assert broken(damage(whole())) == claims


def test_what_is_not_committed_is_under_way_and_nothing_is_lost() -> None:
    late = forgotten("console", event_id(COMPLETE))(whole())
    invoices = (topics.INVOICE_WEBHOOKS.name, 0)
    behind = {**late.committed, "console": {**late.committed["console"], invoices: 0}}

    evidence = replace(late, committed=behind)

    assert (broken(evidence), under_way(evidence)) == (set(), {"VANISHED"})


def test_what_is_still_in_an_outbox_is_under_way() -> None:
    unpublished = in_store("refund", lambda store: replace(store, outbox=1))(whole())
    evidence = without_records(lambda one: isinstance(one, DomainEvent) and one.caused_by == event_id(GIVEN_BACK))(
        unpublished
    )

    assert "EVENTS" not in broken(evidence)
    assert {"EVENTS", "OUTBOX"} <= under_way(evidence)


def test_a_mail_nobody_can_tell_of_is_to_be_known_and_not_lost() -> None:
    def unknown(rows: dict[str, dict[str, object]]) -> None:
        rows[FIRST_MAIL]["status"] = "unknown"

    evidence = in_table("notifier", "notifications", unknown)(whole())
    (claim,) = [claim for claim in judge(evidence) if claim.name == "MISSMAIL"]

    assert broken(evidence) == set()
    assert len(claim.noted) == 1


def test_an_dead_event_needs_its_dead_letter() -> None:
    def abandon(store: Store) -> Store:
        name = event_id(DELIVERED)
        position, _ = store.handled[name]
        failed = {name: {"status": "dead", "attempts": 6, "error": "it fails"}}
        return replace(store, handled={**store.handled, name: (position, "dead")}, failed=failed)

    assert "VANISHED" in broken(in_store("shipping", abandon)(whole()))


def test_only_what_was_appended_since_is_looked_at() -> None:
    evidence = forgotten("console", event_id(PAID))(whole())

    first = evidence.entries[0].appended_at

    assert broken(replace(evidence, period=Period(since=first + 1))) == set()
    assert broken(replace(evidence, period=Period(until=first))) == set()
    assert broken(replace(evidence, period=Period(since=first, until=first + 1))) == {"VANISHED"}


def test_a_claim_that_checked_nothing_says_so_and_not_that_all_is_well() -> None:
    without_inbox = replace(whole(), mails=None)

    lines = {claim.name: str(claim) for claim in judge(without_inbox)}

    assert "not checked" in lines["CONFIRMED"]
    assert "not checked" in lines["DUPMAIL"]
    assert " ok " in lines["STATE"]


def test_rows_of_a_processor_the_auditor_has_no_model_of_are_said_to_be_unchecked() -> None:
    all_well = whole()
    added = {**all_well.stores, "carriers": replace(all_well.stores["shipping"], tables={})}

    claim = store_claims.state(Trace(replace(all_well, stores=added)))

    assert (claim.wrong, claim.noted) == (
        (),
        ("carriers: the auditor has no model of its rows; they were not checked",),
    )


def test_a_success_without_its_order_is_published_only_where_orders_are_optional() -> None:
    paid = a_payment(status="completed")

    assert models("optional")["payment"]([paid]).events
    assert not models("required")["payment"]([paid]).events
