"""A paused service processes nothing, a paused provider's webhooks wait; once resumed, nothing is lost or overtaken."""

from collections.abc import Iterator
from typing import Any

import pytest

from providers.stripe import webhook as stripe
from runtime import clock
from simulator import signing
from stream.events import ids
from stream.store.pausing import NOT_PAUSED
from tests.actors import Console, Shop, Store, new_order, until
from tests.contract.posting import post as post_to
from tests.contract.posting import written
from tests.failing import get, hookstream, pay, post

WHY = {"reason": "a bad deploy", "by": "kim"}
NAME = "stripe"


@pytest.fixture(autouse=True)
def resumed(system: dict[str, str]) -> Iterator[None]:
    """Leave nothing paused to the tests that follow."""
    yield
    for service in ("payment", "notifier"):
        post(system, service, "/resume", {})
    post(system, "gateway", "/providers/resume", {"provider": NAME, "by": "the test"})
    until(lambda: state(system), lambda found: found in (None, "active"))


def test_a_paused_service_processes_nothing_until_it_is_resumed(
    shop: Shop, payments: Store, console: Console, system: dict[str, str]
) -> None:
    order = new_order()

    paused = hookstream(system, "pause", "payment", "--reason", "a bad deploy")
    until(lambda: warnings(system, "payment"), bool)
    pay(shop, order)
    row = console.wait_for(f"/api/orders/{order}", lambda found: found["webhooks"])["webhooks"][0]
    health = get(system, "payment", "/health/ready")
    before = payments.rows("SELECT 1 FROM payments WHERE order_id = %s", order)
    resumed = hookstream(system, "resume", "payment")

    assert (paused.returncode, resumed.returncode, resumed.stdout) == (0, 0, "payment is running\n")
    assert "a bad deploy" in paused.stdout
    assert (row["status"], before, health.status) == ("RECEIVED", [], 200)
    payments.wait_for("SELECT 1 FROM payments WHERE order_id = %s", order)


def test_a_pause_is_shown_changed_and_ended_as_often_as_one_likes(system: dict[str, str]) -> None:
    answers = [post(system, "payment", "/pause", WHY).body["pause"] for _ in range(2)]
    shown = get(system, "payment", "/pause").body["pause"]
    ended = [post(system, "payment", "/resume", {}).body["pause"] for _ in range(2)]

    assert answers[0] == answers[1] == shown
    assert (shown["reason"], shown["by"]) == ("a bad deploy", "kim")
    assert ended == [None, None]


@pytest.mark.parametrize("wrong", [{}, {"reason": "x"}, {"reason": " ", "by": "kim"}, {"reason": 1, "by": "kim"}])
def test_a_pause_without_a_reason_is_refused(wrong: dict[str, Any], system: dict[str, str]) -> None:
    assert post(system, "payment", "/pause", wrong).status == 400
    assert get(system, "payment", "/pause").body["pause"] is None


def test_a_paused_notifier_queues_no_mail_and_sends_none(shop: Shop, system: dict[str, str]) -> None:
    order, mails = new_order(), Store(system["NOTIFIER_DATABASE_URL"])
    statuses = "SELECT status FROM notifications WHERE order_id = %s AND audience = 'customer'"
    pay(shop, order)  # without an address, its mail waits
    until(lambda: mails.rows(statuses, order), bool)
    post(system, "notifier", "/pause", WHY)
    until(lambda: warnings(system, "notifier"), bool)
    queue = "UPDATE notifications SET contact = 'kim@example.test', status = 'queued' WHERE order_id = %s RETURNING 1"
    mails.rows(queue, order)
    claimed = mails.rows(f"SELECT 1 FROM notifications WHERE status = 'queued' AND {NOT_PAUSED}")
    queued = mails.rows(statuses, order)
    post(system, "notifier", "/resume", {})

    assert (claimed, queued) == ([], [{"status": "queued"}])
    mails.wait_for(f"{statuses} AND status = 'sent'", order)


def test_a_paused_providers_webhooks_are_accepted_and_processed_in_order_once_it_is_resumed(
    payments: Store, console: Console, system: dict[str, str]
) -> None:
    orders = [new_order() for _ in range(3)]

    paused = hookstream(system, "pause", "provider", NAME, "--reason", "a bad deploy")
    bodies = [session(order) for order in orders]
    replies = [send(system, body) for body in bodies]
    waiting = console.wait_for(
        f"/api/webhooks/{ids.unreadable_body_id(NAME, bodies[0])}", lambda row: row["status"] == "RECEIVED"
    )
    listed = pending(system)
    before = payments.rows("SELECT 1 FROM payments WHERE order_id = ANY (%s)", orders)
    resumed = hookstream(system, "resume", "provider", NAME)

    assert (paused.returncode, resumed.returncode) == (0, 0)
    assert [reply.status for reply in replies] == [200, 200, 200]
    assert (before, listed) == ([], 3)
    assert "paused" in waiting["error"]
    payments.wait_for("SELECT 1 FROM payments WHERE order_id = ANY (%s)", orders, count=3)
    until(lambda: state(system), lambda found: found == "active")
    read = payments.rows(
        'SELECT "offset" FROM inbox JOIN payment_history USING (event_id) WHERE order_id = %s', orders[0]
    )
    assert len(read) == 1
    assert pending(system) is None
    after = new_order()
    assert send(system, session(after)).status == 200
    payments.wait_for("SELECT 1 FROM payments WHERE order_id = %s", after)


def test_a_provider_that_nobody_knows_is_not_paused(system: dict[str, str]) -> None:
    refused = post(system, "gateway", "/providers/pause", {**WHY, "provider": "nobody"})

    assert (refused.status, refused.body["error"]) == (400, "unknown_provider")
    assert hookstream(system, "pause", "provider", "nobody").returncode == 1
    assert hookstream(system, "pause", "nobody").returncode == 1


def test_secrets_are_listed_by_their_fingerprint_and_since_when_they_are_used(system: dict[str, str]) -> None:
    (row,) = [one for one in get(system, "gateway", "/providers").body["providers"] if one["provider"] == NAME]
    (contract,) = row["contracts"]

    assert contract["secretSetting"] == "STRIPE_WEBHOOK_SECRET"
    assert all(len(secret["fingerprint"]) == 8 and secret["firstSeen"] > 0 for secret in contract["secrets"])
    assert contract["secrets"]
    assert system["STRIPE_WEBHOOK_SECRET"] not in str(row)


def session(order: str) -> bytes:
    paid = {
        "id": f"cs_{order}",
        "object": "checkout.session",
        "client_reference_id": order,
        "payment_status": "paid",
        "status": "complete",
        "amount_total": 2000,
        "currency": "usd",
        "payment_intent": f"pi_{order}",
    }
    head = {"id": f"evt_{order}", "object": "event", "type": "checkout.session.completed", "livemode": False}
    return written({**head, "created": clock.now() // 1_000_000, "data": {"object": paid}})


def send(system: dict[str, str], body: bytes) -> Any:
    signed = signing.sign(stripe.PROVIDER, body, system["STRIPE_WEBHOOK_SECRET"].encode(), clock.now())
    return post_to(system["GATEWAY_URL"], "/api/webhooks/stripe", body, signed)


def provider(system: dict[str, str], **query: str) -> Any:
    (row,) = [one for one in get(system, "gateway", "/providers", **query).body["providers"] if one["provider"] == NAME]
    return row


def state(system: dict[str, str]) -> str | None:
    found = provider(system)["state"]
    return found and str(found["state"])


def pending(system: dict[str, str]) -> Any:
    return provider(system, pending="true")["pending"]


def warnings(system: dict[str, str], service: str) -> list[str]:
    return get(system, service, "/health/ready").body.get("warnings", [])  # type: ignore[no-any-return]
