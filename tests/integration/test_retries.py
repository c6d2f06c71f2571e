"""A failing event is retried alone, and dead with its bytes stored after the last retry; the others go on."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, Engine

from processors.payment import domain as payment
from stream.dead_letters import actions, selection
from stream.dead_letters.selection import EventFilter
from stream.events import DomainEvent, PaymentWebhook, ids, topics
from stream.kafka.delivery import Delivery, UnreadableRecord, delivery
from stream.state.fold import Result
from stream.state.retry_policy import MAX_RETRIES
from stream.store import retrying
from stream.worker import batch, retries
from stream.worker.batch import Applied
from stream.worker.bisection import BatchFailed, Runner, in_parts, together
from stream.worker.publishing.messages import Messages
from tests import failing
from tests.actors import Shop, Store, new_order, until
from tests.builders import a_payment, an_order
from tests.failing import pay, refusing
from tests.log import CODEC, reading
from tests.working_sets import apply_to_payment

RETRIES = "SELECT status, attempts FROM retries WHERE key = %s::bytea"


@pytest.fixture
def store(system: dict[str, str]) -> Store:
    return Store(system["PAYMENT_DATABASE_URL"])


@pytest.fixture
def engine(system: dict[str, str]) -> Engine:
    return failing.engine(system)


def test_an_event_that_fails_is_retried_and_the_others_go_on(shop: Shop, store: Store, engine: Engine) -> None:
    bad, good = new_order(), new_order()

    with refusing(engine, bad):
        pay(shop, bad)
        pay(shop, good)
        (row,) = store.wait_for("SELECT error, attempts FROM retries WHERE key = %s::bytea", bad)
        store.wait_for("SELECT 1 FROM payments WHERE order_id = %s", good)

        assert store.rows("SELECT 1 FROM payments WHERE order_id = %s", bad) == []
    assert "CheckViolation (23514)" in row["error"]
    assert store.wait_for("SELECT status FROM payments WHERE order_id = %s", bad) == [{"status": "completed"}]
    until(lambda: store.rows(RETRIES, bad), lambda rows: not rows)


def test_a_retried_event_is_told_with_its_attempt(
    shop: Shop, store: Store, engine: Engine, system: dict[str, str]
) -> None:
    bad = new_order()

    with reading(system, topics.OUTCOMES) as outcomes:
        with refusing(engine, bad):
            pay(shop, bad)
            first = outcomes.wait_for(lambda one: one.outcome == "retrying")
        passed = outcomes.wait_for(lambda one: one.event_id == first.event_id and one.outcome == "processed")

    assert (first.attempt, "CheckViolation" in (first.error or "")) == (1, True)
    assert (passed.attempt > 1, passed.error) == (True, None)


def test_after_the_fifth_retry_it_is_dead_and_redriving_brings_it_back(
    shop: Shop, store: Store, engine: Engine, system: dict[str, str]
) -> None:
    bad = new_order()

    with reading(system, topics.dead("payment")) as letters, refusing(engine, bad):
        pay(shop, bad)
        letter = letters.wait_for(lambda one: one.key == bad.encode())

        assert store.rows(RETRIES, bad) == [{"status": "dead", "attempts": 1 + MAX_RETRIES}]
    assert letter.error.startswith("CheckViolation")
    wanted = EventFilter(orders=(bad,), causes=("checkviolation",))
    with engine.begin() as tx:
        assert (selection.count(tx, "dead", wanted), actions.redrive(tx, wanted)) == (1, 1)
        assert (selection.count(tx, "dead", wanted), actions.redrive(tx, wanted)) == (0, 0)
    assert store.wait_for("SELECT status FROM payments WHERE order_id = %s", bad) == [{"status": "completed"}]
    until(lambda: store.rows(RETRIES, bad), lambda rows: not rows)


def test_too_many_failing_at_once_stop_consumption_until_they_pass(
    shop: Shop, store: Store, engine: Engine, system: dict[str, str]
) -> None:
    """A bad deploy: everything fails, and nothing of it may end in the dead letters."""
    many = [new_order() for _ in range(MAX_RETRYING + 5)]

    with refusing(engine, *many):
        for order in many:
            pay(shop, order)
        until(lambda: is_ready(system), lambda ready: not ready)
        waiting = new_order()
        pay(shop, waiting)
        tries = "SELECT max(attempts) AS tries, count(*) AS kept FROM retries WHERE key = ANY (%s::bytea[])"
        (before,) = store.rows(tries, many)
        # Each is tried again and again meanwhile, and no try is counted.
        again = (
            "SELECT 1 FROM retries WHERE key = ANY (%s::bytea[]) AND last_failed_at > failed_at + interval '3 seconds'"
        )
        store.wait_for(again, many)

        assert store.rows("SELECT 1 FROM retries WHERE status = 'dead' AND key = ANY (%s::bytea[])", many) == []
        assert store.rows("SELECT 1 FROM payments WHERE order_id = %s", waiting) == []
        (after,) = store.rows(tries, many)
        assert 0 < before["kept"] <= after["kept"] <= len(many)  # others of the store may fail too
        assert after["tries"] == before["tries"]
    store.wait_for("SELECT 1 FROM payments WHERE order_id = ANY (%s)", [*many, waiting], count=len(many) + 1)
    until(lambda: is_ready(system), bool)


def test_an_event_whose_consequence_cannot_be_written_is_retried_and_the_others_go_on(engine: Engine) -> None:
    """A bug of ours: it must not stop a partition, nor pass unseen."""
    good, bad = (delivered(a_payment(order=new_order()), offset) for offset in range(2))

    def handle(_: Connection, webhooks: Sequence[Any]) -> list[Result]:
        return [Result("1", "processed", domain_events_of(one, currency=one is good.event)) for one in webhooks]

    def apply(run: Runner) -> Applied:
        return batch.apply(tx, [good, bad], handle, Messages("payment", CODEC), run, 2.0)

    with engine.connect() as tx:
        with pytest.raises(BatchFailed, match="currency"), tx.begin_nested():
            apply(together)
        applied = apply(in_parts)

    assert [one.kind for one in applied.outcomes] == ["processed", "retrying"]
    assert "at `$.currency`" in (applied.outcomes[1].error or "")
    assert len(applied.messages) == 1


def test_an_event_whose_consequence_is_too_large_for_kafka_is_retried(engine: Engine) -> None:
    """It would never be acknowledged, and whoever takes over would try it again for ever."""
    bad = delivered(a_payment("failed", order=new_order(), failure_reason="x" * 995_000), 0)

    def handle(_: Connection, webhooks: Sequence[Any]) -> list[Result]:
        return [Result("1", "processed", apply_to_payment(a_new_payment(one), one)[2]) for one in webhooks]

    with engine.connect() as tx:
        applied = batch.apply(tx, [bad], handle, Messages("payment", CODEC), in_parts, 2.0)

    assert [one.kind for one in applied.outcomes] == ["retrying"]
    assert "too large to publish" in (applied.outcomes[0].error or "")
    assert applied.messages == []


def test_copies_of_an_event_that_nobody_could_decode_are_redriven_together_and_handled_once(engine: Engine) -> None:
    """As after a schema came late: each copy was given up under an id of its own, by where it stood."""
    published = CODEC.encode(an_order(order=new_order()))
    copies = [unread(published, offset) for offset in (10**9, 10**9 + 1)]
    handled: list[Any] = []

    def handle(_: Connection, events: Sequence[Any]) -> list[Result]:
        handled.extend(events)
        return [Result("1", "processed", ()) for _ in events]

    def try_again() -> list[str]:
        due = retrying.due(tx, [(topics.ORDERS.name, 0)], 100)
        ours = [one for one in due if one.offset >= 10**9]
        applied = retries.retry(tx, ours, CODEC, handle, messages, retries.count_attempt, 2.0)
        return [one.kind for one in applied.outcomes]

    messages = Messages("payment", CODEC)
    with engine.connect() as tx:
        batch.apply(tx, copies, handle, messages, together, 2.0)
        actions.redrive(tx, EventFilter(ids=tuple(one.event_id for one in copies)))

        assert (try_again(), try_again(), try_again()) == (["processed"], ["duplicate"], [])
    assert len(handled) == 1


def test_what_a_person_gives_up_or_retries_comes_before_all_that_are_due(engine: Engine) -> None:
    """While consumption is stopped one after another is tried, and there may be a thousand."""
    many = [unread(b"", offset) for offset in range(2 * 10**9, 2 * 10**9 + 5)]

    with engine.connect() as tx:
        retrying.save(tx, [(retrying.first_failure(one, "it fails"), "retrying") for one in many], -3600.0)
        actions.retry_last(tx, EventFilter(ids=(many[3].event_id,)))
        (first,) = retrying.due(tx, [(topics.ORDERS.name, 0)], 1)
        actions.retry_now(tx, many[1].event_id)
        (before,) = retrying.due(tx, [(topics.ORDERS.name, 0)], 1)

    assert (first.event_id, before.event_id) == (many[3].event_id, many[1].event_id)


def unread(value: bytes, offset: int) -> Delivery:
    """A record that could not be decoded when it came."""
    name = ids.unreadable_record_id(topics.ORDERS.name, 0, offset)
    return Delivery(UnreadableRecord("no schema has the id 9"), name, None, topics.ORDERS.name, 0, offset, b"1", value)


def delivered(webhook: PaymentWebhook, offset: int) -> Delivery:
    return delivery(CODEC, topics.PAYMENT_WEBHOOKS.name, 0, offset, b"1", CODEC.encode(webhook))


def a_new_payment(webhook: PaymentWebhook) -> payment.Payment:
    assert webhook.payload.order_id is not None
    return payment.Payment(webhook.payload.order_id)


def domain_events_of(webhook: PaymentWebhook, *, currency: bool) -> tuple[DomainEvent, ...]:
    """What the payment processor says of a first payment, with or without what its schema asks for."""
    _, _, domain_events = apply_to_payment(a_new_payment(webhook), webhook)
    return tuple(
        msgspec.structs.replace(domain_event, currency="KRW" if currency else None) for domain_event in domain_events
    )


MAX_RETRYING = 100


def is_ready(system: dict[str, str]) -> bool:
    address = Shop(system["PAYMENT_MANAGEMENT_URL"], "")
    return address.request("GET", "/health/ready", None, {}).status == 200
