"""What nobody signed is asked for: true it becomes a row and a mail, forged it changes nothing."""

import json
import os
import signal
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from stream.events import topics
from tests.actors import Inbox, Reply, Shop, Store, new_order, until
from tests.failing import hookstream
from tests.log import CODEC, append, reading
from tests.processes import kill, pid
from tests.replicas import replicas_of

TOPICS = topics.service("confirmer").reads

PAID_AT = "2026-01-31T12:00:00+09:00"


@pytest.fixture
def verification_requests(system: dict[str, str]) -> Store:
    return Store(system["CONFIRMER_DATABASE_URL"])


@pytest.fixture
def trouble(system: dict[str, str]) -> Iterator[Any]:
    """Makes Toss's API answer with a status, until the test is over."""
    yield lambda status: tell(system, "troubles", {"provider": "toss", "status": status})
    tell(system, "troubles", {"provider": "toss", "status": 200})


def test_a_true_payment_nobody_signed_becomes_one_row_and_one_mail(
    shop: Shop, inbox: Inbox, payments: Store, verification_requests: Store, system: dict[str, str]
) -> None:
    order, customer = a_known_order(shop)
    pay(system, order)

    with reading(system, topics.OUTCOMES) as outcomes:
        answered = [post(shop, order), post(shop, order), post(shop, order)]
        requested = verification_requests.wait_for(
            "SELECT request_id::text, event_id FROM verification_requests WHERE alias = %s", key(order)
        )
        outcomes.wait_for(lambda one: one.event_id == requested[0]["request_id"] and one.outcome == "processed")

    assert {reply.status for reply in answered} == {200}
    assert payments.wait_for("SELECT status, amount, provider FROM payments WHERE order_id = %s", order) == [
        {"status": "completed", "amount": 58000, "provider": "toss"}
    ]
    settled = until(lambda: statuses(verification_requests, order), lambda found: found == ["confirmed"] * 3)
    assert len(settled) == 3
    assert len(inbox.all_of(customer, order, Store(system["NOTIFIER_DATABASE_URL"]))) == 1
    assert history(payments, order) == 1


def test_a_forged_payment_changes_nothing_and_is_counted_as_untrue(
    shop: Shop, payments: Store, verification_requests: Store, system: dict[str, str]
) -> None:
    order, _ = a_known_order(shop)
    pay(system, order, status="READY")

    with reading(system, topics.REFUSALS) as rejected:
        forged = post(shop, order)
        assert until(lambda: statuses(verification_requests, order), lambda found: found == ["untrue"])
        rejection = rejected.wait_for(lambda one: one.cause == "untrue" and order.encode() in one.excerpt)

    assert forged.status == 200
    assert rejection.provider == "toss"
    assert 'hookstream_verification_requests_total{provider="toss",status="untrue"}' in metrics(system)
    pay(system, order)
    post(shop, order)  # the forgery has not shadowed the true one
    payments.wait_for("SELECT 1 FROM payments WHERE order_id = %s", order)
    assert history(payments, order) == 1


def test_what_the_provider_never_learns_of_ends_as_unknown_and_is_told(
    shop: Shop, payments: Store, verification_requests: Store, system: dict[str, str]
) -> None:
    order = new_order()

    post(shop, order)
    (requested,) = verification_requests.wait_for(
        "SELECT request_id::text, status FROM verification_requests WHERE alias = %s AND attempts > 1", key(order)
    )
    with reading(system, topics.OUTCOMES) as outcomes:
        an_hour_passes(verification_requests, order)
        outcome = outcomes.wait_for(lambda one: one.event_id == requested["request_id"] and one.outcome == "dead")

    assert requested["status"] == "asking"
    assert outcome.error.startswith("unknown: ")
    published = until(
        lambda: hookstream(system, "order", order).stdout, lambda said: "last answered: unknown: " in said
    )
    assert f"confirmer: TOSS was asked about payment {key(order)} " in published
    assert until(lambda: statuses(verification_requests, order), lambda found: found == ["unknown"])
    assert payments.rows("SELECT 1 FROM payments WHERE order_id = %s", order) == []


@pytest.mark.parametrize("status", [503, 429, 401])
def test_an_api_that_cannot_answer_is_asked_again_when_it_is_back(
    shop: Shop, payments: Store, verification_requests: Store, system: dict[str, str], trouble: Any, status: int
) -> None:
    order, _ = a_known_order(shop)
    pay(system, order)
    trouble(status)

    post(shop, order)
    verification_requests.wait_for("SELECT 1 FROM verification_requests WHERE alias = %s AND attempts > 1", key(order))
    before = statuses(verification_requests, order)
    trouble(200)

    assert before == ["asking"]
    assert until(lambda: statuses(verification_requests, order), lambda found: found == ["confirmed"])
    assert payments.wait_for("SELECT status FROM payments WHERE order_id = %s", order) == [{"status": "completed"}]


@pytest.mark.long
def test_an_asker_killed_before_it_could_settle_publishes_the_same_event_again(
    shop: Shop, inbox: Inbox, payments: Store, verification_requests: Store, system: dict[str, str]
) -> None:
    order, customer = a_known_order(shop)
    pay(system, order)
    post(shop, order)
    payments.wait_for("SELECT 1 FROM payments WHERE order_id = %s", order)
    (first,) = verification_requests.wait_for(
        "SELECT event_id FROM verification_requests WHERE alias = %s AND event_id IS NOT NULL", key(order)
    )

    with reading(system, topics.PAYMENT_WEBHOOKS) as events, reading(system, topics.OUTCOMES) as outcomes:
        as_if_killed_between_publishing_and_settling(verification_requests, order)
        kill(system, "CONFIRMER")
        again = events.wait_for(lambda one: one.payload.order_id == order)
        outcomes.wait_for(lambda one: one.event_id == str(first["event_id"]) and one.outcome == "duplicate")

    assert again.envelope.event_id == str(first["event_id"])
    assert until(lambda: statuses(verification_requests, order), lambda found: found == ["confirmed"])
    assert history(payments, order) == 1
    assert len(inbox.all_of(customer, order, Store(system["NOTIFIER_DATABASE_URL"]))) == 1


@pytest.mark.long
@pytest.mark.parametrize("point", ["poller.after_claim", "poller.after_publish"])
def test_an_asker_killed_at_any_step_loses_no_verification_request_and_confirms_it_once(
    point: str, shop: Shop, payments: Store, verification_requests: Store, system: dict[str, str]
) -> None:
    order, _ = a_known_order(shop)
    pay(system, order)

    with replicas_of(system, "confirmer", len(TOPICS)) as confirmers:
        nothing_else_is_due(verification_requests)
        doomed = confirmers.only(f"{point}:exit")
        post(shop, order)
        doomed.dies_of_its_fault()
        before = statuses(verification_requests, order)
    the_lease_passes(verification_requests, order)

    assert before == ["asking"]
    assert until(lambda: statuses(verification_requests, order), lambda found: found == ["confirmed"])
    payments.wait_for("SELECT 1 FROM payments WHERE order_id = %s", order)
    assert history(payments, order) == 1


def nothing_else_is_due(verification_requests: Store) -> None:
    """What other tests asked would be claimed first, and the fault would strike there."""
    verification_requests.rows(
        "UPDATE verification_requests SET next_attempt_at = now() + interval '1 hour'"
        " WHERE status = 'asking' RETURNING 1"
    )


def test_while_a_lease_lasts_nobody_else_asks_and_when_it_has_passed_somebody_does(
    shop: Shop, verification_requests: Store, system: dict[str, str]
) -> None:
    order, _ = a_known_order(shop)
    pay(system, order)
    frozen = pid(system, "APIS")
    os.kill(frozen, signal.SIGSTOP)
    try:
        post(shop, order)
        verification_requests.wait_for(
            "SELECT 1 FROM verification_requests WHERE alias = %s AND attempts = 1", key(order)
        )
        kill(system, "CONFIRMER")
    finally:
        os.kill(frozen, signal.SIGCONT)

    (leased,) = verification_requests.rows(
        "SELECT attempts, next_attempt_at > now() AS leased FROM verification_requests WHERE alias = %s", key(order)
    )
    the_lease_passes(verification_requests, order)

    assert leased == {"attempts": 1, "leased": True}
    assert until(lambda: statuses(verification_requests, order), lambda found: found == ["confirmed"])


def test_a_record_on_the_topic_twice_is_one_verification_request(
    verification_requests: Store, shop: Shop, system: dict[str, str]
) -> None:
    order = new_order()

    with reading(system, topics.UNCONFIRMED) as unconfirmed_webhooks, reading(system, topics.OUTCOMES) as outcomes:
        post(shop, order)
        unconfirmed = unconfirmed_webhooks.wait_for(lambda one: one.payload.alias == key(order))
        append(system, topics.UNCONFIRMED, topics.UNCONFIRMED.key(unconfirmed), unconfirmed)
        outcomes.wait_for(lambda one: one.event_id == unconfirmed.envelope.event_id and one.outcome == "duplicate")

    assert statuses(verification_requests, order) == ["asking"]


def a_known_order(shop: Shop) -> tuple[str, str]:
    order = new_order()
    customer = f"{order.lower()}@example.test"
    shop.post("order", {"orderId": order, "customerEmail": customer, "amount": 58000})
    return order, customer


def key(order: str) -> str:
    """Toss's name for the payment of an order."""
    return f"pk_{order}"


def pay(system: dict[str, str], order: str, status: str = "DONE") -> None:
    """The payment, as it stands at Toss."""
    about = {"provider": "toss", "alias": key(order), "order_id": order, "amount": "58000", "at": PAID_AT}
    tell(system, "payments", {**about, "status": status})


def post(shop: Shop, order: str, status: str = "DONE") -> Reply:
    """Toss's webhook about it, or what somebody makes out to be one."""
    data = {"paymentKey": key(order), "orderId": order, "status": status, "totalAmount": 58000, "currency": "KRW"}
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    body = {"eventType": "PAYMENT_STATUS_CHANGED", "createdAt": at, "data": data}
    headers = {"Content-Type": "application/json", "tosspayments-webhook-transmission-id": f"whtrans_{new_order()}"}
    return shop.request("POST", "/api/webhooks/toss", json.dumps(body).encode(), headers)


def tell(system: dict[str, str], what: str, body: dict[str, Any]) -> None:
    request = urllib.request.Request(f"{system['APIS_URL']}/simulator/{what}", json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 204


def statuses(verification_requests: Store, order: str) -> list[str]:
    return [
        row["status"]
        for row in verification_requests.rows("SELECT status FROM verification_requests WHERE alias = %s", key(order))
    ]


def history(payments: Store, order: str) -> int:
    (row,) = payments.rows("SELECT count(*) AS n FROM payment_history WHERE order_id = %s", order)
    return int(row["n"])


def an_hour_passes(verification_requests: Store, order: str) -> None:
    """The question holds its receipt whole: to move its time back is to write the record again."""
    (row,) = verification_requests.rows("SELECT record FROM verification_requests WHERE alias = %s", key(order))
    unconfirmed: Any = CODEC.decode(row["record"])
    hour = 3_700_000_000
    envelope = msgspec.structs.replace(unconfirmed.envelope, received_at=unconfirmed.envelope.received_at - hour)
    record = CODEC.encode(msgspec.structs.replace(unconfirmed, envelope=envelope))
    verification_requests.rows(
        "UPDATE verification_requests SET record = %s, next_attempt_at = now() WHERE alias = %s RETURNING 1",
        record,
        key(order),
    )


def the_lease_passes(verification_requests: Store, order: str) -> None:
    verification_requests.rows(
        "UPDATE verification_requests SET next_attempt_at = now() WHERE alias = %s RETURNING 1", key(order)
    )


def as_if_killed_between_publishing_and_settling(verification_requests: Store, order: str) -> None:
    verification_requests.rows(
        "UPDATE verification_requests SET status = 'asking', event_id = NULL, next_attempt_at = now() WHERE alias = %s"
        " RETURNING 1",
        key(order),
    )


def metrics(system: dict[str, str]) -> str:
    request = urllib.request.Request(
        system["CONFIRMER_MANAGEMENT_URL"] + "/metrics",
        headers={"Authorization": f"Bearer {system['MANAGEMENT_TOKEN']}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        body: bytes = answer.read()
    return body.decode()
