"""Contract E's retry: one webhook by its id, at any time, until there were too many; its test names."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from stream.events import topics
from stream.state.retry_policy import MAX_RETRIES
from tests.actors import Console, Shop, Store, new_order
from tests.failing import a_failed_event, engine, get, hookstream, pay, post, refusing
from tests.log import reading

DONE = "이미 처리된 웹훅입니다"
BEYOND = "최대 재시도 횟수를 초과했습니다: 5"


@pytest.fixture
def owner(system: dict[str, str]) -> Iterator[Engine]:
    made = engine(system)
    yield made
    made.dispose()


def test_contract_e_retry_succeeds(
    shop: Shop, payments: Store, console: Console, owner: Engine, system: dict[str, str]
) -> None:
    order = new_order()
    with refusing(owner, order):
        pay(shop, order)
        event = a_failed_event(payments, order, "retrying", 1)

    done = hookstream(system, "retry", event)

    assert (done.returncode, done.stderr) == (0, "")
    failed, processed = done.stdout.splitlines()
    assert failed.startswith("payment: FAILED, tries: 1: CheckViolation (23514)")
    assert processed == "payment: PROCESSED, tries: 2"
    assert payments.rows("SELECT status FROM payments WHERE order_id = %s", order) == [{"status": "completed"}]
    row = console.wait_for(f"/api/webhooks/{event}", lambda row: row["status"] == "PROCESSED")
    assert (row["retryCount"], row["error"]) == (2, None)


def test_contract_e_retry_that_fails_again_shows_the_handlers_error(
    shop: Shop, payments: Store, owner: Engine, system: dict[str, str]
) -> None:
    order = new_order()
    with refusing(owner, order):
        pay(shop, order)
        event = a_failed_event(payments, order, "retrying", 1)

        done = hookstream(system, "retry", event)

    assert done.returncode == 1
    assert done.stderr.startswith("payment: RETRYING, tries: 2, next ")
    assert "CheckViolation (23514)" in done.stderr


def test_contract_e_retry_beyond_the_maximum_is_refused(
    shop: Shop, payments: Store, owner: Engine, system: dict[str, str]
) -> None:
    order = new_order()
    with refusing(owner, order):
        pay(shop, order)
        event = a_failed_event(payments, order, "dead", 1 + MAX_RETRIES)

    reply = post(system, "payment", "/retry", {"id": event})
    done = hookstream(system, "retry", event)

    assert (reply.status, reply.body) == (409, {"error": "retries_exhausted", "message": BEYOND})
    assert (done.returncode, done.stderr) == (1, f"{BEYOND}\n")
    assert payments.rows("SELECT 1 FROM payments WHERE order_id = %s", order) == []


def test_contract_e_retry_of_a_processed_one_is_refused(shop: Shop, payments: Store, system: dict[str, str]) -> None:
    order = new_order()
    with reading(system, topics.OUTCOMES) as outcomes, reading(system, topics.PAYMENT_WEBHOOKS) as webhooks:
        pay(shop, order)
        event = webhooks.wait_for(lambda one: one.payload.order_id == order).envelope.event_id
        outcomes.wait_for(lambda one: one.event_id == event and one.outcome == "processed")

    reply = post(system, "payment", "/retry", {"id": event})
    done = hookstream(system, "retry", event)

    assert (reply.status, reply.body) == (409, {"error": "already_processed", "message": DONE})
    assert (done.returncode, done.stderr) == (1, f"{DONE}\n")


def test_contract_e_the_last_failure_abandons(
    shop: Shop, payments: Store, console: Console, owner: Engine, system: dict[str, str]
) -> None:
    order = new_order()
    with reading(system, topics.dead("payment")) as dead, refusing(owner, order):
        pay(shop, order)
        event = a_failed_event(payments, order, "retrying", MAX_RETRIES)

        done = hookstream(system, "retry", event)
        letter = dead.wait_for(lambda one: one.event_id == event)

    assert done.returncode == 1
    assert done.stderr.startswith(f"payment: ABANDONED, tries: {1 + MAX_RETRIES}: CheckViolation")
    assert letter.error.startswith("CheckViolation")
    console.wait_for(f"/api/webhooks/{event}", lambda row: row["status"] == "ABANDONED")
    assert get(system, "payment", "/retry", id=event).body["outcome"] == "dead"


def test_contract_e_retry_of_what_nobody_has_heard_of_is_refused(system: dict[str, str]) -> None:
    unknown = "00000000-0000-5000-8000-000000000000"

    reply = post(system, "payment", "/retry", {"id": unknown})
    done = hookstream(system, "retry", unknown)

    assert (reply.status, reply.body["error"]) == (404, "unknown_event")
    assert (done.returncode, done.stderr) == (1, f"No service knows the event {unknown}.\n")
