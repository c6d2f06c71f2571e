"""A webhook is found, retried, redriven and released by the id that its provider gave it, in every verb."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from providers.contract_e import webhook as pg
from stream.events import ids, topics
from stream.state.retry_policy import MAX_RETRIES
from tests.actors import Console, Store, new_order, until
from tests.contract.posting import Answer, posted_by, written
from tests.failing import a_failed_event, engine, get, hookstream, refusing
from tests.log import append, reading

LAST = 1 + MAX_RETRIES
MARK_OVERDUE = """
UPDATE retries SET status = 'dead', attempts = %s, next_attempt_at = now() + interval '1 hour'
 WHERE key = %s::bytea RETURNING 1
"""


@pytest.fixture
def owner(system: dict[str, str]) -> Iterator[Engine]:
    made = engine(system)
    yield made
    made.dispose()


def posted(system: dict[str, str], header: str, body: Any, path: str = "/webhooks/payment") -> Answer:
    return posted_by(pg.provider_by_header(header), system, path, body, X_PG_Provider=header)


def test_contract_e_a_kakao_webhook_with_its_aid_alone_waits_and_is_applied_when_its_order_is_named(
    payments: Store, console: Console, system: dict[str, str]
) -> None:
    aid, order = f"A{new_order()}", new_order()

    alone = posted(system, "KAKAO", {"aid": aid, "status": "SUCCESS_PAYMENT"}, "/api/webhooks/kakao")
    waiting = console.wait_for(f"/api/webhooks/{aid}", lambda row: row["status"] == "RECEIVED" and row["outcomes"])
    shown = hookstream(system, "webhook", aid)
    fuller = {"aid": aid, "partner_order_id": order, "status": "SUCCESS_PAYMENT", "amount": {"total": 2200}}
    posted(system, "KAKAO", fuller)

    assert (alone.status, alone.json) == (200, {"status": "RECEIVED", "webhookId": waiting["webhookId"]})
    assert (shown.returncode, waiting["webhookId"] in shown.stdout) == (0, True)
    (row,) = payments.wait_for("SELECT status, amount FROM payments WHERE order_id = %s", order)
    assert row == {"status": "completed", "amount": 2200}
    console.wait_for(f"/api/webhooks/{waiting['webhookId']}", lambda one: one["status"] == "PROCESSED")


@pytest.mark.parametrize("name", ["eventId", "imp_uid", "aid"])
def test_a_failed_webhook_is_retried_and_redriven_by_its_providers_id(
    name: str, payments: Store, owner: Engine, system: dict[str, str]
) -> None:
    order = new_order()
    event = f"evt-{order}"
    body = {name: event, "orderId": order, "status": "DONE", "amount": 1000}

    with refusing(owner, order):
        posted(system, "TOSS", body)
        ours = a_failed_event(payments, order, "retrying", 1)
        again = hookstream(system, "retry", event)
        a_failed_event(payments, order, "retrying", 1)
        ended = hookstream(system, "dead", "last-retry", event, "--dry-run")
        shown = hookstream(system, "dead", "show", event)
        a_failed_event(payments, order, "dead", LAST)
    redriven = hookstream(system, "dead", "redrive", event)

    assert again.stdout.startswith(f"{event} is {ours}\n")
    assert again.stderr.startswith("payment: RETRYING, tries: 2")
    assert f"{event} is {ours}" in ended.stdout
    assert "payment: 1 retrying" in ended.stdout
    assert (shown.returncode, f"id: {ours}" in shown.stdout) == (0, True)
    assert (redriven.returncode, "payment: 1 redriven" in redriven.stdout) == (0, True)
    payments.wait_for("SELECT 1 FROM payments WHERE order_id = %s AND status = 'completed'", order)
    done = hookstream(system, "retry", event)
    assert (done.returncode, done.stderr) == (1, "이미 처리된 웹훅입니다\n")


def test_an_id_that_names_several_events_lists_them_and_nothing_is_done(
    payments: Store, console: Console, owner: Engine, system: dict[str, str]
) -> None:
    order = new_order()
    imp_uid = f"imp_{order}"
    body = {"imp_uid": imp_uid, "merchant_uid": order, "status": "paid", "amount": 1000}

    with refusing(owner, order):
        answers = [
            posted(system, "IAMPORT", one) for one in (body, body | {"status": "cancelled", "cancel_amount": 1000})
        ]
        both = {answer.json["webhookId"] for answer in answers}
        until(lambda: payments.rows("SELECT 1 FROM retries WHERE key = %s::bytea", order), lambda rows: len(rows) == 2)
        payments.rows(MARK_OVERDUE, LAST, order)
        redriven = hookstream(system, "dead", "redrive", imp_uid)
        retried = hookstream(system, "retry", imp_uid)
    console.wait_for("/api/webhooks", lambda page: len(page["webhooks"]) == 2, id=imp_uid)
    found = console.ask(f"/api/webhooks/{imp_uid}")
    shown = hookstream(system, "webhook", imp_uid)

    for done in (redriven, retried, shown):
        assert done.returncode == 1
        assert "names several events" in done.stderr
        assert all(event in done.stderr for event in both)
    assert (
        payments.rows("SELECT 1 FROM retries WHERE key = %s::bytea AND status = 'dead'", order) == [{"?column?": 1}] * 2
    )
    assert (found.status, found.body["error"]) == (409, "ambiguous")
    assert {one["webhookId"] for one in found.body["webhooks"]} == both
    assert get(system, "payment", "/dead", name=imp_uid, limit="500").body["events"]


def test_what_was_kept_aside_is_shown_and_released_by_its_providers_id(system: dict[str, str]) -> None:
    event = f"evt-{new_order()}"
    body = {"eventId": event, "status": "SEND_TMS"}
    with reading(system, topics.QUARANTINE) as records:
        posted(system, "KAKAO", body)
        kept = records.wait_for(lambda one: event.encode() in one.raw)

    shown = hookstream(system, "quarantine", "show", event)
    released = hookstream(system, "quarantine", "release", event)
    posted(system, "KAKAO", body | {"status": "READY"})
    both = hookstream(system, "quarantine", "release", event)

    assert f"event_id: {kept.event_id}" in shown.stdout
    assert released.stdout.startswith(f"{kept.event_id}: stays: unsupported_type")
    assert (both.returncode, "names several events" in both.stderr) == (1, True)


def test_one_bad_record_never_breaks_the_list_of_what_was_kept_aside(system: dict[str, str]) -> None:
    event = f"evt-{new_order()}"
    append(system, topics.QUARANTINE, event, b"\x00\x00\x00\x00\x01 no record\x00\x1b[2J")
    append(system, topics.QUARANTINE, event, b"")
    body = written({"eventId": event, "status": "SEND_TMS"})
    posted(system, "KAKAO", body)
    kept = ids.unreadable_body_id("kakaopay", body)

    listed = hookstream(system, "quarantine", "list", "--limit", "1000")
    unreadable = next(line for line in listed.stdout.splitlines() if "unreadable_record" in line)
    name = unreadable.split()[0]
    shown = hookstream(system, "quarantine", "show", name)
    released = hookstream(system, "quarantine", "release", name, kept)

    assert listed.returncode == 0
    assert kept in listed.stdout
    assert (shown.returncode, "cause: unreadable_record" in shown.stdout) == (0, True)
    assert released.returncode == 0
    assert "0 released, 2 stay" in released.stdout
