"""Whose webhook is confirmed first: forgeries keep a true one waiting no longer than their fair share of the asking."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import quote
from uuid import uuid4

import msgspec
import psycopg
import pytest
from sqlalchemy import Engine

from confirmer import claims, housekeeping, replay_hooks, store
from confirmer.verdict import Confirmed, Unknown
from providers.addressing import keyed_webhook
from runtime import clock
from runtime.postgres.engine import engine
from stream.events import OrderId, PaymentPayload, UnconfirmedWebhook, VerificationRequest, topics
from stream.store.schema import migrate
from tests.actors import Shop, Store, new_order, until
from tests.builders import an_envelope
from tests.integration.test_confirmation import a_known_order, key, pay, post
from tests.log import CODEC

FORGERIES = 600
WITHIN_S = 10.0
CLAIM = 8
DAY = 24 * 3600


class VerificationRequests:
    """A confirmer's store of its own, in which nobody asks but this test."""

    def __init__(self, owner: str) -> None:
        self.schema = f"fair_{uuid4().hex[:8]}"
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {self.schema}".encode())
        self.url = f"{owner}?options={quote(f'-csearch_path={self.schema}')}"
        migrate.upgrade("confirmer", self.url)
        self.engine: Engine = engine(self.url, service="test")
        self._offset = 0

    def keep(self, *aliases: str, source: str = "1.1.1.1", order: str | None = None, received_at: int = 0) -> None:
        """Webhooks that one source has posted."""
        with self.engine.begin() as tx:
            unconfirmed_webhooks = [_unconfirmed_webhook(alias, source, order, received_at) for alias in aliases]
            store.insert(tx, [(unconfirmed, CODEC.encode(unconfirmed)) for unconfirmed in unconfirmed_webhooks])
            for unconfirmed in unconfirmed_webhooks:
                self._offset += 1
                tx.exec_driver_sql(
                    'INSERT INTO inbox (event_id, topic, partition, "offset", outcome) VALUES (%s, %s, 0, %s, %s)',
                    (unconfirmed.envelope.event_id, topics.UNCONFIRMED.name, self._offset, "waiting"),
                )

    def know(self, *orders: str) -> None:
        with self.engine.begin() as tx:
            store.add_known_orders(tx, orders)

    def claim(self, most: int = CLAIM) -> list[str]:
        """The references of what is asked next."""
        with self.engine.begin() as tx:
            claimed = claims.claim(tx, "toss", most, 60.0)
        records = [CODEC.decode(one.record) for one in claimed]
        return [record.payload.alias for record in records if isinstance(record, UnconfirmedWebhook)]

    def claimed_until(self, alias: str) -> int:
        """How many others are asked before this one, by whole claims."""
        requested = 0
        while alias not in (claimed := self.claim()):
            assert claimed, f"{alias} is never asked"
            requested += len(claimed)
        return requested


def _unconfirmed_webhook(alias: str, source: str, order: str | None, received_at: int) -> UnconfirmedWebhook:
    order_id = None if order is None else OrderId(order)
    verification_request = VerificationRequest(subject="payment", alias=alias, order_id=order_id)
    envelope = an_envelope(verification_request, provider="toss", name=f"{alias} {source} {order}")
    envelope = msgspec.structs.replace(envelope, received_at=received_at or clock.now())
    return UnconfirmedWebhook(envelope=envelope, payload=verification_request, source=source)


@pytest.fixture
def verification_requests(system: dict[str, str]) -> Iterator[VerificationRequests]:
    one = VerificationRequests(system["CONFIRMER_DATABASE_URL"])
    yield one
    one.engine.dispose()


def forged(count: int = FORGERIES, start: int = 0) -> list[str]:
    return [f"forged {n}" for n in range(start, start + count)]


def test_what_another_source_posts_is_asked_with_the_next_claim(verification_requests: VerificationRequests) -> None:
    verification_requests.keep(*forged(300))
    verification_requests.claim()
    verification_requests.keep("true", source="2.2.2.2")
    verification_requests.keep(*forged(300, 300))

    assert verification_requests.claimed_until("true") == 0


def test_what_is_said_of_a_known_order_is_asked_with_the_next_claim_even_from_the_source_of_a_flood(
    verification_requests: VerificationRequests,
) -> None:
    verification_requests.know("known order")
    verification_requests.keep(*forged(300))
    verification_requests.keep("true", order="known order")
    verification_requests.keep(*forged(300, 300))

    assert verification_requests.claimed_until("true") == 0


def test_an_order_that_becomes_known_later_goes_first_from_then_on(verification_requests: VerificationRequests) -> None:
    verification_requests.keep(*forged(300))
    verification_requests.keep("true", order="later")
    verification_requests.keep(*forged(300, 300))
    verification_requests.know("later")

    assert verification_requests.claimed_until("true") == 0


def test_whoever_floods_with_a_known_order_holds_up_neither_other_orders_nor_those_unknown(
    verification_requests: VerificationRequests,
) -> None:
    verification_requests.know("flooded", "other")
    verification_requests.keep(*forged(), order="flooded")
    verification_requests.keep("true", order="other")
    verification_requests.keep("true of an unknown order", source="2.2.2.2", order="unknown")

    assert {"true", "true of an unknown order"} <= set(verification_requests.claim())


def test_the_newest_has_a_share_also_where_nothing_else_tells_it_from_forgeries(
    verification_requests: VerificationRequests,
) -> None:
    verification_requests.keep(*forged())
    verification_requests.keep("true")

    assert verification_requests.claimed_until("true") == 0


def test_forgeries_from_many_sources_hold_up_a_known_order_no_longer(
    verification_requests: VerificationRequests,
) -> None:
    verification_requests.know("known order")
    for n in range(60):
        verification_requests.keep(*forged(10, 10 * n), source=f"10.0.0.{n}")
    verification_requests.keep("true", source="2.2.2.2", order="known order")

    assert verification_requests.claimed_until("true") == 0


def test_everything_is_asked_in_the_end_and_nothing_twice(verification_requests: VerificationRequests) -> None:
    verification_requests.know("known order")
    verification_requests.keep(*forged(50))
    verification_requests.keep(*forged(10, 50), order="known order")
    requested: list[str] = []
    while claimed := verification_requests.claim():
        requested += claimed

    assert sorted(requested) == sorted(forged(60))


def test_one_verification_request_at_a_time_is_one_about_a_known_order(
    verification_requests: VerificationRequests,
) -> None:
    verification_requests.know("known order")
    verification_requests.keep(*forged(20))
    verification_requests.keep("true", order="known order")

    assert verification_requests.claim(most=1) == ["true"]


def test_a_verdict_that_comes_after_another_pollers_changes_nothing(
    verification_requests: VerificationRequests,
) -> None:
    payment = PaymentPayload(order_id=OrderId("7"), status="completed")
    confirmed = Confirmed(keyed_webhook(an_envelope(payment), payment))
    verification_requests.keep("asked by two pollers, as the first lease had expired")
    with verification_requests.engine.begin() as tx:
        (claimed,) = claims.claim(tx, "toss", 1, 60.0)

    for verdict in (confirmed, Unknown("unknown: too late")):
        with verification_requests.engine.begin() as tx:
            claims.save_verdicts(tx, [(claimed, verdict)])

    with verification_requests.engine.begin() as tx:
        states = tx.exec_driver_sql(
            "SELECT status, outcome FROM verification_requests JOIN inbox ON inbox.event_id = request_id"
        )
        assert [tuple(state) for state in states] == [("confirmed", "processed")]


def test_what_came_to_nothing_is_forgotten_after_its_time_and_what_is_open_or_true_is_not(
    verification_requests: VerificationRequests,
) -> None:
    now = clock.now()
    long_ago = now - 31 * DAY * 1_000_000
    for status in ("untrue", "unknown", "asking", "confirmed"):
        for name, at in (("old", long_ago), ("young", now)):
            verification_requests.keep(f"{name} {status}", received_at=at)
    with verification_requests.engine.begin() as tx:
        tx.exec_driver_sql(
            "UPDATE verification_requests SET status = split_part(alias, ' ', 2),"
            " event_id = CASE WHEN alias LIKE '%%confirmed' THEN request_id END"
        )

    forgotten = housekeeping.Housekeeping(verification_requests.engine, 30).clean_up(now)
    with verification_requests.engine.begin() as tx:
        left = set(tx.exec_driver_sql("SELECT alias FROM verification_requests").scalars())

    assert forgotten == 2
    assert left == {"young untrue", "young unknown", "old asking", "young asking", "old confirmed", "young confirmed"}


def test_a_promoted_store_takes_over_what_its_topic_has_forgotten(
    verification_requests: VerificationRequests, system: dict[str, str]
) -> None:
    rebuilt = VerificationRequests(system["CONFIRMER_DATABASE_URL"])
    verification_requests.keep("older than the topic")
    for one in (verification_requests, rebuilt):
        one.keep("on the topic")
    verification_requests.claim()

    with rebuilt.engine.begin() as tx:
        replay_hooks.carry_over(tx, verification_requests.schema)
        found = tx.exec_driver_sql(
            "SELECT alias, attempts FROM verification_requests JOIN inbox ON inbox.event_id = request_id ORDER BY 1"
        )
        taken_over = [tuple(row) for row in found]
    rebuilt.engine.dispose()

    assert taken_over == [("older than the topic", 1), ("on the topic", 1)]


@pytest.mark.long
def test_600_forgeries_in_10_s_do_not_hold_up_a_true_payment(
    shop: Shop, payments: Store, system: dict[str, str]
) -> None:
    confirmer = Store(system["CONFIRMER_DATABASE_URL"])
    order, _ = a_known_order(shop)
    pay(system, order)
    payment_history = "SELECT 1 FROM payments WHERE order_id = %s"
    forgeries = [new_order() for _ in range(FORGERIES)]
    began = time.monotonic()

    def flood(part: list[str]) -> None:
        for nth, forgery in enumerate(part):
            assert post(shop, forgery).status == 200
            time.sleep(max(0.0, began + WITHIN_S * nth / len(part) - time.monotonic()))

    flooders = [threading.Thread(target=flood, args=(forgeries[n::4],)) for n in range(4)]
    for flooder in flooders:
        flooder.start()
    keys = [key(forgery) for forgery in forgeries]
    waiting = "SELECT 1 FROM verification_requests WHERE alias = ANY (%s) AND attempts = 0"
    until(lambda: len(confirmer.rows(waiting, keys)), lambda count: count > FORGERIES / 3)
    posted = time.monotonic()
    assert post(shop, order).status == 200
    payments.wait_for(payment_history, order)
    took = time.monotonic() - posted
    overtaken = len(confirmer.rows(waiting, keys))
    for flooder in flooders:
        flooder.join()
    print(f"{datetime.now(UTC):%H:%M:%S}: a true payment took {took:.2f} s; {overtaken} forgeries were not asked yet")  # noqa: T201

    assert overtaken > FORGERIES / 4  # in the order of arrival: none
    confirmer.rows(  # other tests ask too
        "UPDATE verification_requests SET next_attempt_at = now() + interval '1 hour'"
        " WHERE alias = ANY (%s) RETURNING 1",
        keys,
    )
