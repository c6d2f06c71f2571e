"""What the person on call does about events that failed, over HTTP and on the command line."""

import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from local.services import SERVICES
from stream.events import Outcome, topics
from stream.state.retry_policy import MAX_RETRIES
from tests.actors import Shop, Store, new_order, until
from tests.builders import a_payment
from tests.failing import a_failed_event, engine, get, hookstream, pay, post, refusing
from tests.log import CODEC, append, reading

STORES = [service.name for service in SERVICES if service.store]
LAST = 1 + MAX_RETRIES
MAX_RETRYING = 100


@pytest.fixture
def owner(system: dict[str, str]) -> Iterator[Engine]:
    made = engine(system)
    yield made
    made.dispose()


@pytest.mark.parametrize("service", STORES)
def test_every_service_with_a_store_tells_what_failed(service: str, system: dict[str, str]) -> None:
    listed = get(system, service, "/dead", order=new_order())

    assert (listed.status, listed.body["service"], listed.body["events"]) == (200, service, [])
    assert listed.body["counts"].keys() == {"retrying", "dead", "dismissed"}
    assert post(system, service, "/dead/redrive", {"filters": {"order": new_order()}}).body["matched"] == 0


def test_what_failed_is_listed_and_shown_with_what_is_nobodys_business_masked(
    shop: Shop, payments: Store, owner: Engine, system: dict[str, str]
) -> None:
    order = new_order()
    with refusing(owner, order):
        said = {"orderId": order, "status": "completed", "metadata": {"email": "kim@example.test", "pin": "1234"}}
        assert shop.post("payment", said).status == 200
        event = a_failed_event(payments, order, "retrying", 1)

    (row,) = get(system, "payment", "/dead", order=order, cause="checkviolation", status="retrying").body["events"]
    shown = get(system, "payment", "/dead/show", id=event).body
    listed = hookstream(system, "dead", "list", "--order", order)
    published = hookstream(system, "dead", "show", event)

    assert (row["id"], row["type"], row["orderId"], row["attempts"]) == (event, "PaymentWebhook", order, 1)
    assert row["error"].startswith("CheckViolation (23514)")
    assert shown["record"]["payload"]["order_id"] == order
    assert shown["record"]["envelope"]["raw"]["metadata"] == {"email": "k***@example.test", "pin": "***"}
    assert shown["record"]["envelope"]["headers"] == {"x-webhook-signature": "***"}
    assert (listed.returncode, published.returncode) == (0, 0)
    assert event in listed.stdout
    assert "FAILED" not in listed.stdout
    assert "kim@" not in published.stdout
    assert shop.sign(b"") not in published.stdout


def test_filters_narrow_what_is_meant(shop: Shop, payments: Store, owner: Engine, system: dict[str, str]) -> None:
    orders = [new_order() for _ in range(2)]
    with refusing(owner, *orders):
        for order in orders:
            pay(shop, order)
        first, second = (a_failed_event(payments, order, "dead", LAST) for order in orders)

    def found(**filters: str) -> set[str]:
        rows = get(system, "payment", "/dead", limit="500", **filters).body["events"]
        return {row["id"] for row in rows} & {first, second}

    assert found() == found(status="dead") == found(cause="(23514)") == found(since="2020-01-01") == {first, second}
    assert found(order=orders[0]) == found(id=first) == {first}
    assert found(status="retrying") == found(cause="_heckViolation") == found(until="2020-01-01") == set()


@pytest.mark.parametrize(
    "asked",
    [
        {"status": "abandoned"},
        {"id": "1"},
        {"since": "soon"},
        {"until": "2026-02-03T00:00:00"},
        {"limit": "0"},
        {"caus": "x"},
    ],
)
def test_a_verification_request_that_cannot_be_meant_is_refused(asked: dict[str, str], system: dict[str, str]) -> None:
    reply = get(system, "payment", "/dead", **asked)

    assert (reply.status, reply.body["error"]) == (400, "malformed")


@pytest.mark.parametrize(
    "asked",
    [{"dryrun": True}, {"dryRun": "yes"}, {"filters": []}, {"filters": {"caus": "x"}}, {"filters": {"id": []}}],
)
def test_a_redrive_that_is_mistyped_redrives_nothing(asked: dict[str, object], system: dict[str, str]) -> None:
    assert post(system, "payment", "/dead/redrive", asked).status == 400


def test_redriving_brings_back_once_however_often_it_is_said(
    shop: Shop, payments: Store, owner: Engine, system: dict[str, str]
) -> None:
    orders = [new_order() for _ in range(5)]
    with refusing(owner, *orders):
        for order in orders:
            pay(shop, order)
        for order in orders:
            a_failed_event(payments, order, "dead", LAST)
        filters = {"order": orders, "cause": "checkviolation"}
        counted = post(system, "payment", "/dead/redrive", {"filters": filters, "dryRun": True}).body
        with ThreadPoolExecutor(8) as people:
            done = list(
                people.map(lambda _: post(system, "payment", "/dead/redrive", {"filters": filters}).body, range(8))
            )

    assert counted == {"service": "payment", "matched": 5, "redriven": 0}
    assert sum(one["redriven"] for one in done) == 5
    again = post(system, "payment", "/dead/redrive", {"filters": filters}).body
    assert (again["matched"], again["redriven"]) == (0, 0)
    payments.wait_for("SELECT 1 FROM payments WHERE order_id = ANY (%s)", orders, count=5)
    (history,) = payments.rows("SELECT count(*) AS n FROM payment_history WHERE order_id = ANY (%s)", orders)
    assert history == {"n": 5}


def test_a_person_redrives_on_the_command_line_and_more_than_one_needs_a_yes(
    shop: Shop, payments: Store, owner: Engine, system: dict[str, str]
) -> None:
    orders = [new_order() for _ in range(2)]
    with refusing(owner, *orders):
        for order in orders:
            pay(shop, order)
        events = [a_failed_event(payments, order, "dead", LAST) for order in orders]
    redrive = ("dead", "redrive", *events)

    counted = hookstream(system, *redrive, "--dry-run")
    unsure = hookstream(system, *redrive)
    done = hookstream(system, *redrive, "--yes")
    again = hookstream(system, *redrive, "--yes")

    assert (counted.returncode, counted.stdout) == (0, "payment: 2 dead\n")
    assert unsure.returncode == 1
    assert (
        unsure.stderr == "This would re-open 2 events. Pass --yes to do it, or --dry-run to see how many and which.\n"
    )
    assert (done.returncode, done.stdout) == (0, "payment: 2 dead\npayment: 2 redriven\n")
    assert again.returncode == 0
    assert again.stdout.startswith("no event that is dead matches\n")
    assert [f"payment: {event} is " in again.stdout for event in events] == [True, True]
    payments.wait_for("SELECT 1 FROM payments WHERE order_id = ANY (%s)", orders, count=2)


def test_what_nobody_can_decode_is_shown_in_hex_and_read_again_when_redriven(
    payments: Store, system: dict[str, str]
) -> None:
    order, damage = new_order(), b"\x00\x00\x0f\xff\xff of a schema to come"
    with reading(system, topics.dead("payment")) as dead:
        append(system, topics.PAYMENT_WEBHOOKS, order, damage)
        letter = dead.wait_for(lambda one: one.key == order.encode())
    shown = get(system, "payment", "/dead/show", id=letter.event_id).body
    refused = post(system, "payment", "/retry", {"id": letter.event_id})

    with reading(system, topics.dead("payment")) as dead:
        assert hookstream(system, "dead", "redrive", letter.event_id).returncode == 0
        dead.wait_for(lambda one: one.event_id == letter.event_id)
    value = CODEC.encode(a_payment(order=order))
    payments.rows("UPDATE retries SET value = %s WHERE event_id = %s RETURNING 1", value, letter.event_id)
    redriven = post(system, "payment", "/dead/redrive", {"filters": {"order": order}}).body

    assert (shown["type"], shown["hex"], "record" in shown) == (None, damage.hex(), False)
    assert (refused.status, refused.body["error"]) == (409, "undecodable")
    assert redriven["redriven"] == 1
    payments.wait_for("SELECT 1 FROM payments WHERE order_id = %s", order)
    until(lambda: payments.rows("SELECT 1 FROM retries WHERE event_id = %s", letter.event_id), lambda rows: not rows)


def test_what_waits_for_a_person_is_counted(shop: Shop, payments: Store, owner: Engine, system: dict[str, str]) -> None:
    order = new_order()
    with refusing(owner, order):
        pay(shop, order)
        a_failed_event(payments, order, "dead", LAST)
    (counted,) = payments.rows("SELECT count(*) AS n FROM retries WHERE status = 'dead'")

    until(lambda: gauge(system, "hookstream_dead_events"), lambda value: value == counted["n"])
    assert gauge(system, "hookstream_waiting_events") >= 0
    published = hookstream(system, "status")
    assert (published.returncode, published.stderr) == (0, "")
    (row,) = [line.split() for line in published.stdout.splitlines() if line.split()[:1] == ["payment"]]
    assert row[-1] == str(counted["n"])


def test_a_service_that_is_down_hides_nothing_of_the_others(
    shop: Shop, payments: Store, owner: Engine, system: dict[str, str]
) -> None:
    order = new_order()
    with refusing(owner, order):
        pay(shop, order)
        event = a_failed_event(payments, order, "dead", LAST)

    listed = hookstream({**system, "SHIPPING_MANAGEMENT_URL": "http://127.0.0.1:1"}, "dead", "list", "--order", order)

    assert event in listed.stdout
    assert listed.returncode == 1
    assert listed.stderr.startswith("The shipping at http://127.0.0.1:1 does not answer")


def gauge(system: dict[str, str], name: str) -> float:
    request = urllib.request.Request(
        system["PAYMENT_MANAGEMENT_URL"] + "/metrics", headers={"Authorization": f"Bearer {system['MANAGEMENT_TOKEN']}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return float(next(line for line in lines if line.startswith(f"{name} ")).split()[1])


def test_redriving_more_than_may_fail_at_once_brings_all_back_and_stops_nothing(
    shop: Shop, payments: Store, owner: Engine, system: dict[str, str]
) -> None:
    orders = [new_order() for _ in range(MAX_RETRYING + 5)]
    keys = [order.encode() for order in orders]
    with refusing(owner, *orders):
        for order in orders:
            pay(shop, order)
        payments.wait_for("SELECT 1 FROM retries WHERE key = ANY (%s)", keys, count=len(orders))
        until(lambda: get(system, "payment", "/health/ready").status, lambda status: status == 503)
        payments.rows(
            "WITH dead AS (UPDATE retries SET status = 'dead', attempts = 6 WHERE key = ANY (%s) RETURNING *)"
            " UPDATE inbox SET outcome = 'dead' FROM dead WHERE inbox.event_id = dead.event_id RETURNING 1",
            keys,
        )
    until(lambda: get(system, "payment", "/health/ready").status, lambda status: status == 200)
    before = stops(system)
    assert before > 0

    done = hookstream(
        system, "dead", "redrive", "--service", "payment", "--cause", "(23514)", "--since", "2020-01-01", "--yes"
    )

    assert (done.returncode, done.stderr) == (0, "")
    payments.wait_for("SELECT 1 FROM payments WHERE order_id = ANY (%s)", orders, count=len(orders))
    assert stops(system) == before


@pytest.mark.long
def test_what_a_person_gives_up_has_one_last_try_and_the_others_go_on(
    shop: Shop, payments: Store, owner: Engine, system: dict[str, str]
) -> None:
    orders = [new_order() for _ in range(MAX_RETRYING + 5)]
    keys = [order.encode() for order in orders]
    good = new_order()
    with refusing(owner, *orders):
        for order in orders:
            pay(shop, order)
        until(lambda: get(system, "payment", "/health/ready").status, lambda status: status == 503)
        pay(shop, good)
        last_retry = ("dead", "last-retry", "--service", "payment", "--cause", "(23514)")

        counted = hookstream(system, *last_retry, "--dry-run")
        unsure = hookstream(system, *last_retry)
        done = hookstream(system, *last_retry, "--order", orders[1], "--yes"), hookstream(system, *last_retry, "--yes")
        payments.wait_for("SELECT 1 FROM payments WHERE order_id = %s", good)
        payments.wait_for("SELECT 1 FROM retries WHERE key = ANY (%s) AND status = 'dead'", keys, count=len(orders))
        again = hookstream(system, *last_retry, "--yes")

    assert "payment: " in counted.stdout
    assert (unsure.returncode, "This would retry for the last time" in unsure.stderr) == (1, True)
    assert [one.returncode for one in done] == [0, 0]
    assert done[0].stdout.splitlines() == [
        "payment: 1 retrying",
        "payment: 1 have their last try now; `hookstream dead list` shows those that fail again",
    ]
    assert again.stdout == "no event that is retrying matches\n"
    assert {row["attempts"] for row in payments.rows("SELECT attempts FROM retries WHERE key = ANY (%s)", keys)} == {6}
    until(lambda: get(system, "payment", "/health/ready").status, lambda status: status == 200)


def stops(system: dict[str, str]) -> int:
    """How often consumption was stopped so far, by the log."""
    return sum(
        path.read_text().count("consumption.stopped") for path in Path(system["RUN_FOLDER"]).rglob("*payment*.log")
    )


def test_what_can_never_be_handled_is_dismissed_with_its_reason_counted_apart_and_listed(
    shop: Shop, payments: Store, owner: Engine, system: dict[str, str]
) -> None:
    order, stored = new_order(), new_order()
    with refusing(owner, order, stored):
        pay(shop, order)
        pay(shop, stored)
        event, other = (a_failed_event(payments, one, "dead", LAST) for one in (order, stored))

        before = get(system, "payment", "/dead").body["counts"]
        counted = hookstream(system, "dead", "dismiss", event, "--because", "test data", "--dry-run")
        done = hookstream(system, "dead", "dismiss", event, "--because", "test data, sent by mistake")
        again = hookstream(system, "dead", "dismiss", event, "--because", "once more")
        after = get(system, "payment", "/dead").body["counts"]
        redriven = hookstream(system, "dead", "redrive", "--order", order)

    assert "payment: 1 dead" in counted.stdout
    assert (done.returncode, "payment: 1 dismissed" in done.stdout) == (0, True)
    assert "no event that is dead matches" in again.stdout
    assert (before["dead"] - after["dead"], after["dismissed"] - before["dismissed"]) == (1, 1)
    assert "no event that is dead matches" in redriven.stdout
    # It is no longer among those that need somebody, and is found with why and when.
    assert event not in hookstream(system, "dead", "list", "--order", order).stdout
    listed = hookstream(system, "dead", "list", "--order", order, "--status", "dismissed").stdout
    shown = hookstream(system, "dead", "show", event).stdout
    assert "dismissed: test data, sent by mistake" in listed
    assert "dismissedBecause: test data, sent by mistake" in shown
    assert "dismissedAt: " in shown
    assert other in hookstream(system, "dead", "list", "--order", stored).stdout


def test_a_dismissal_is_published_shown_by_the_console_and_refuses_a_retry(
    shop: Shop, payments: Store, owner: Engine, system: dict[str, str]
) -> None:
    order = new_order()
    with (
        refusing(owner, order),
        reading(system, topics.OUTCOMES) as outcomes,
        reading(system, topics.dead("payment")) as letters,
    ):
        pay(shop, order)
        event = a_failed_event(payments, order, "dead", LAST)
        hookstream(system, "dead", "dismiss", event, "--because", "test data")

        published = outcomes.wait_for(lambda one: (one.event_id, one.outcome) == (event, "dismissed"))
        stored = letters.wait_for(lambda one: isinstance(one, Outcome) and one.event_id == event)
        refused = post(system, "payment", "/retry", {"id": event})

    assert (published.service, published.error, published.attempt) == ("payment", "test data", 6)
    assert stored == published
    assert (refused.status, refused.body["error"]) == (409, "dismissed")
    log = until(lambda: hookstream(system, "webhook", event).stdout, lambda text: "dismissed" in text)
    assert "dismissed by payment" in log
    assert "test data" in log
    on_the_topic = payments.rows("SELECT dismissal_published FROM retries WHERE event_id = %s", event)
    assert on_the_topic == [{"dismissal_published": True}]


def test_what_only_waited_too_long_is_dismissed_and_opened_again_by_what_it_waits_for(
    payments: Store, owner: Engine, system: dict[str, str]
) -> None:
    order, intent = new_order(), new_order()
    stripe: dict[str, Any] = {"provider": "stripe", "alias": intent, "aliases": (intent,)}
    early = a_payment("completed", order=None, transaction_id=intent, name=new_order(), **stripe)
    with reading(system, topics.OUTCOMES) as outcomes:
        append(system, topics.PAYMENT_WEBHOOKS, topics.PAYMENT_WEBHOOKS.key(early), early)
        event = early.envelope.event_id
        outcomes.wait_for(lambda one: (one.event_id, one.outcome) == (event, "waiting"))
        with owner.begin() as tx:
            aged = "UPDATE inbox SET handled_at = now() - interval '100 days' WHERE event_id = %s"
            tx.exec_driver_sql(aged, (event,))
        outcomes.wait_for(lambda one: (one.event_id, one.outcome) == (event, "dead"))

        done = hookstream(system, "dead", "dismiss", event, "--because", "of another shop")
        published = outcomes.wait_for(lambda one: (one.event_id, one.outcome) == (event, "dismissed"))

    assert "payment: 1 dismissed" in done.stdout
    assert published.error == "of another shop"
    assert event in hookstream(system, "dead", "list", "--status", "dismissed").stdout
    paid = a_payment("completed", order=order, name=new_order(), **stripe)
    append(system, topics.PAYMENT_WEBHOOKS, order, paid)
    payments.wait_for("SELECT 1 FROM inbox WHERE event_id = %s AND outcome = 'processed'", event)
    assert payments.rows("SELECT 1 FROM retries WHERE event_id = %s", event) == []


@pytest.mark.parametrize("because", [None, "", " ", 7, "x" * 501, "a\nb"])
def test_a_dismissal_says_why(because: object, system: dict[str, str]) -> None:
    said = {"filters": {"order": new_order()}, **({} if because is None else {"because": because})}

    assert post(system, "payment", "/dead/dismiss", said).status == 400


def test_a_dismissal_without_a_reason_or_without_saying_which_is_refused(system: dict[str, str]) -> None:
    unsaid = hookstream(system, "dead", "dismiss", "00000000-0000-5000-8000-000000000000")
    nothing = hookstream(system, "dead", "dismiss", "--because", "test data")

    assert unsaid.returncode == 2
    assert (nothing.returncode, "Say which" in nothing.stderr) == (1, True)
