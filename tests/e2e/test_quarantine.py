"""What was kept aside is found, and released once it can be handled: verified again, read again, applied once."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from providers.stripe import webhook as stripe
from providers.tosspayments import webhook as tosspayments
from runtime import clock
from simulator import signing
from stream.events import Micros, QuarantinedWebhook, ids, topics
from tests.actors import Console, Shop, Store, new_order
from tests.contract.posting import post as post_to
from tests.contract.posting import written
from tests.failing import get, hookstream, post
from tests.gateways import another_gateway
from tests.log import append, reading
from tests.ports import free_port

pytestmark = pytest.mark.long

CONTRACT_C = "/api/webhooks/tosspayments"


def test_a_status_nobody_knows_is_refused_and_kept_and_stays(shop: Shop, system: dict[str, str]) -> None:
    order = new_order()
    body = written({"orderId": order, "status": "danced", "email": "kim@example.test"})
    event = ids.unreadable_body_id("generic", body)

    replies = [shop.post_bytes("/webhooks/payment", body) for _ in range(2)]
    listed = hookstream(system, "quarantine", "list", "--provider", "generic", "--cause", "invalid_field")
    shown = hookstream(system, "quarantine", "show", event)
    released = hookstream(system, "quarantine", "release", event)

    assert {reply.status for reply in replies} == {400}
    assert listed.returncode == 0
    assert sum(event in line for line in listed.stdout.splitlines()) == 1
    assert "cause: invalid_field" in shown.stdout
    assert "2 times in all" in shown.stdout
    assert '"email": "k***@example.test"' in shown.stdout
    assert shop.sign(body) not in shown.stdout
    assert released.returncode == 0
    assert released.stdout.startswith(f"{event}: stays: invalid_field: ")
    assert event in hookstream(system, "quarantine", "list").stdout


def test_a_webhook_of_the_other_mode_is_released_where_that_is_the_mode(
    payments: Store, console: Console, system: dict[str, str]
) -> None:
    order = new_order()
    body = stripe_session(order, livemode=True)
    signed = signing.sign(stripe.PROVIDER, body, system["STRIPE_WEBHOOK_SECRET"].encode(), clock.now())
    event = ids.unreadable_body_id("stripe", body)
    assert post_to(system["GATEWAY_URL"], "/api/webhooks/stripe", body, signed).status == 200

    here = hookstream(system, "quarantine", "release", event)
    secret = {"STRIPE_WEBHOOK_SECRET": system["STRIPE_WEBHOOK_SECRET"]}
    with another_desk(system, MODE="live", **secret) as live, reading(system, topics.PAYMENT_WEBHOOKS) as records:
        there = hookstream(live, "quarantine", "release", event)
        record = records.wait_for(lambda one: one.payload.order_id == order)

    why = "the webhook is of live mode, this system of test mode"
    assert here.stdout.startswith(f"{event}: stays: other_mode: {why}\n")
    assert there.stdout.startswith(f"{event}: went to webhooks.payment.v1 as {record.envelope.event_id}\n")
    assert (record.envelope.mode, record.envelope.verification) == ("live", "signature")
    payments.wait_for("SELECT 1 FROM payments WHERE order_id = %s", order)
    console.wait_for(f"/api/webhooks/{event}", lambda row: row["status"] == "PROCESSED")


def test_what_came_before_its_secret_was_set_is_released_once_it_is(
    payments: Store, console: Console, system: dict[str, str]
) -> None:
    order, event = came_before_its_secret(system)
    cause = ("--cause", "webhook_secret_not_configured")

    before = hookstream(system, "quarantine", "list", *cause)
    would = hookstream(system, "quarantine", "release", event, "--dry-run")
    with reading(system, topics.OUTCOMES) as outcomes:
        released = hookstream(system, "quarantine", "release", event)
        published = outcomes.wait_for(lambda one: one.event_id == event)
    after = hookstream(system, "quarantine", "list", *cause)
    all_ = hookstream(system, "quarantine", "list", *cause, "--released")

    assert would.stdout.endswith("1 can be released, 0 stay\n")
    assert released.stdout.endswith("1 released, 0 stay\n")
    assert (published.service, published.outcome, published.topic) == ("gateway", "processed", topics.UNVERIFIED.name)
    assert (event in before.stdout, event in after.stdout, event in all_.stdout) == (True, False, True)
    payments.wait_for("SELECT 1 FROM payments WHERE order_id = %s AND status = 'completed'", order)
    console.wait_for(f"/api/webhooks/{event}", lambda row: row["status"] == "PROCESSED")


def test_what_is_released_twice_is_a_duplicate_and_counts_once(payments: Store, system: dict[str, str]) -> None:
    order, event = came_before_its_secret(system)

    with reading(system, topics.OUTCOMES) as outcomes:
        released, again = (hookstream(system, "quarantine", "release", event) for _ in range(2))
        name = released.stdout.partition("\n")[0].rpartition(" ")[2]
        outcomes.wait_for(lambda one: (one.event_id, one.outcome) == (name, "duplicate"))

    assert released.stdout == again.stdout
    (history,) = payments.rows("SELECT count(*) AS n FROM payment_history WHERE order_id = %s", order)
    assert history == {"n": 1}


def test_what_was_forged_stays_also_when_it_is_released(system: dict[str, str]) -> None:
    body = written({"eventType": "payment.confirmed", "orderId": new_order(), "paymentKey": "k", "totalAmount": 1})
    event = ids.unreadable_body_id("tosspayments", body)
    with another_gateway(system, TOSSPAYMENTS_WEBHOOK_SECRET="") as (shop, *_):
        post_to(shop.url, CONTRACT_C, body, {"X-Tosspayments-Signature": "0" * 64})

    released = hookstream(system, "quarantine", "release", event)

    assert released.stdout.startswith(f"{event}: stays: invalid_signature: ")


def test_what_today_can_be_read_is_released_by_its_cause_and_the_rest_stays(
    payments: Store, system: dict[str, str]
) -> None:
    """As if an older gateway had not known the status: signed as it came, by a token that nobody keeps."""
    orders, mark = [new_order() for _ in range(2)], f"unsupported_{new_order()}"
    bodies = [written({"orderId": order, "status": "completed", "amount": 1000}) for order in orders]
    shop = Shop(system["GATEWAY_URL"], system["WEBHOOK_SECRET"])
    for body in [*bodies, written({"orderId": orders[0], "status": "danced"})]:
        keep(system, "generic", "/webhooks/payment", body, {"x-webhook-signature": shop.sign(body)}, mark)

    unsure = hookstream(system, "quarantine", "release", "--cause", mark)
    done = hookstream(system, "quarantine", "release", "--cause", mark, "--yes")
    again = hookstream(system, "quarantine", "release", "--cause", mark, "--yes")

    assert (unsure.returncode, unsure.stdout) == (1, "")
    assert "This would release 2 webhooks" in unsure.stderr
    assert done.stdout.endswith("2 released, 1 stays\n")
    assert again.stdout.endswith("0 released, 1 stays\n")
    payments.wait_for("SELECT 1 FROM payments WHERE order_id = ANY (%s)", orders, count=2)


def test_a_proof_by_token_holds_as_it_held_when_it_came(shipments: Store, system: dict[str, str]) -> None:
    number = new_order().replace("-", "")
    body = written({"invoice_no": number, "level": 6, "comcode": "04", "time_trans": "2026-02-03 09:00:00"})
    event = keep(system, "sweettracker", "/api/webhooks/sweettracker", body, {}, "invalid_field", "shared_secret")

    released = hookstream(system, "quarantine", "release", event)

    assert released.stdout.endswith("1 released, 0 stay\n")
    shipments.wait_for("SELECT 1 FROM shipments WHERE tracking_number = %s", number)


def test_a_place_where_nothing_is_kept_is_told_and_one_that_cannot_be_is_refused(system: dict[str, str]) -> None:
    far = {"topic": topics.QUARANTINE.name, "partition": 3, "offset": 999_999}
    wrong: list[Any] = [
        {},
        {"records": []},
        {"records": [far | {"topic": "webhooks.payment.v1"}]},
        {"records": [far | {"partition": 12}]},
        {"records": [far], "dryrun": True},
    ]

    gone = post(system, "gateway", "/quarantine/release", {"records": [far]})
    refused = [post(system, "gateway", "/quarantine/release", said).status for said in wrong]

    assert (gone.status, gone.body["results"][0]["cause"]) == (200, "gone")
    assert refused == [400] * len(wrong)


def test_the_spool_is_told_of(system: dict[str, str], tmp_path: Any) -> None:
    without = get(system, "gateway", "/spool")
    with another_desk(system, SPOOL_DIR=str(tmp_path / "spool"), SPOOL_MAX_BYTES="2000000") as other:
        published = hookstream(other, "spool", "status")

    assert without.body == {"configured": False, "records": 0, "bytes": 0, "maxBytes": 0, "refused": None}
    assert published.stdout == "0 webhooks wait, 0 bytes of 2000000\n"
    assert hookstream(system, "spool", "status").stdout.startswith("no spool")


def came_before_its_secret(system: dict[str, str]) -> tuple[str, str]:
    """An order paid by contract C, kept aside by a gateway without its secret; and what it is kept as."""
    order = f"BIZ-{new_order()}-PRO-20260203120000"
    body = written({"eventType": "payment.confirmed", "orderId": order, "paymentKey": order, "totalAmount": 29000})
    signed = signing.sign(tosspayments.PROVIDER, body, system["TOSSPAYMENTS_WEBHOOK_SECRET"].encode(), 0)
    with another_gateway(system, TOSSPAYMENTS_WEBHOOK_SECRET="") as (shop, *_):
        received = post_to(shop.url, CONTRACT_C, body, signed)
    assert b"webhook_secret_not_configured" in received.body
    return order, ids.unreadable_body_id("tosspayments", body)


@contextmanager
def another_desk(system: dict[str, str], **variables: str) -> Iterator[dict[str, str]]:
    """A gateway set otherwise, which the command line asks."""
    port, token = str(free_port()), system["MANAGEMENT_TOKEN"]
    with another_gateway(system, MANAGEMENT_PORT=port, MANAGEMENT_TOKEN=token, **variables):
        yield {**system, "GATEWAY_MANAGEMENT_URL": f"http://127.0.0.1:{port}"}


def keep(
    system: dict[str, str],
    provider: str,
    path: str,
    body: bytes,
    headers: dict[str, str],
    cause: str,
    verification: Any = "signature",
) -> str:
    """Put a record into the quarantine, as a gateway does; its id."""
    stored = QuarantinedWebhook(
        event_id=ids.unreadable_body_id(provider, body),
        provider=provider,
        mode="test",
        cause=cause,
        detail="as an older gateway saw it",
        verification=verification,
        received_at=Micros(clock.now()),
        path=path,
        headers=headers,
        raw=body,
    )
    append(system, topics.QUARANTINE, stored.event_id, stored)
    return stored.event_id


def stripe_session(order: str, *, livemode: bool) -> bytes:
    session = {
        "id": f"cs_{order}",
        "object": "checkout.session",
        "client_reference_id": order,
        "payment_status": "paid",
        "status": "complete",
        "amount_total": 2000,
        "currency": "usd",
        "payment_intent": f"pi_{order}",
    }
    return json.dumps(
        {
            "id": f"evt_{order}",
            "object": "event",
            "type": "checkout.session.completed",
            "created": clock.now() // 1_000_000,
            "livemode": livemode,
            "data": {"object": session},
        }
    ).encode()
